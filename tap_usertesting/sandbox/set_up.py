"""Makes a world one that a variant describes: how it answers, and as many tests and sessions as that needs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tap_usertesting.sandbox.variant import Variant
    from tap_usertesting.sandbox.world import World

_LEGACY_AUTH: dict[str, set[Literal["bearer", "token"]]] = {
    "bearer": {"bearer"},
    "token": {"token"},
    "refused": set(),
    "gone": {"bearer"},
}
_AFTER_FIRST = timedelta(seconds=1)  # a session that is added is neither the oldest nor the newest


def set_up(world: World, variant: Variant) -> World:
    """Make a seeded world follow a variant, and return it. The quota is up to the sandbox."""
    world.variant = variant
    world.list_page = variant.list_page
    world.list_total = variant.list_total
    world.details_versions = set(variant.details)
    world.v1_auth = _LEGACY_AUTH[variant.legacy]
    world.v1_page = variant.legacy_page
    world.v1_lower_case = variant.legacy_types == "lower"
    world.feed_order = variant.feed_order
    world.feed_options.set(
        cap=variant.feed_cap, most_aliases=variant.feed_most_tests, count_events=variant.feed_counts == "events"
    )
    _add_tests(world, variant.tests)
    _add_sessions(world, variant.sessions)
    return world


def _add_tests(world: World, wanted: int) -> None:
    """Add classic tests, which only the legacy API has, to the first workspace."""
    workspace = next(iter(world.workspaces))
    there = sum(test.workspace.uuid == workspace for test in world.tests.values())
    for number in range(there, wanted):
        ordered_at = world.now - timedelta(days=900)
        title = f"Classic test {number + 1}"
        world.add_test("INSIGHT_CORE", title, "WEB", workspace, in_feed=False, ordered_at=ordered_at)


def _add_sessions(world: World, wanted: int) -> None:
    """Add sessions to the first test with speech, which the feed does not announce."""
    test = next(test for test in world.tests.values() if test.is_spoken)
    first = min(session.finished_at for session in test.completed())
    for number in range(len(test.completed()), wanted):
        at = first + _AFTER_FIRST + timedelta(milliseconds=number)
        world.add_session(test, finished_at=at, in_feed=False)
