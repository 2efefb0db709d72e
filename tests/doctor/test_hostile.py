"""Whatever a server sends, there is a report or one line: the doctor is for servers that nobody has met."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.doctor.assumption import HOLDS
from tap_usertesting.doctor.report import FORM
from tap_usertesting.sandbox import World
from tap_usertesting.sandbox.like import variant_of
from tap_usertesting.sandbox.set_up import set_up
from tap_usertesting.sandbox.variant import Variant
from tests.doctor.examined import Examined, examine, examine_variant
from tests.hostile.spoil import NASTY_IDS
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    from tap_usertesting.sandbox.requests_and_replies import Reply

KINDS = ("v1", "list", "details_v3", "details_v2", "transcript", "qx_scores", "reels", "feed")
BODIES: dict[str, object] = {
    "null": b"null",
    "a number": b"7",
    "an empty object": {},
    "an empty list": [],
    "a list of odd things": [None, 1, "x", [], {"uuid": None, "type": 5, "cursor": {}}],
    "an error": {"error": "x", "errors": [None], "message": 5},
    "odd lists": {"sessions": [None, 7], "meta": [], "tasks": "x", "qxScores": [1], "reels": None, "data": []},
    "odd objects": {"sessions": {}, "meta": {"pagination": {"totalCount": 1e300, "limit": True}}, "data": {"t0": 1}},
    "no JSON": b"\xff\xfe\x00",
    "nothing": b"",
    "deep": b"[" * 5_000 + b"]" * 5_000,
}


def assert_well(found: Examined) -> None:
    """A report that can be read, and can be made a sandbox of; no traceback."""
    assert "Traceback" not in found.stderr
    assert found.exit in {0, 1}
    assert found.report["report"] == FORM
    set_up(World.seeded(), variant_of(found.report))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_any_kind(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of each answer of one endpoint."""
    time = SimulatedTime().install(monkeypatch)
    with time.serve(World.seeded()) as box:
        box.fail(kind, times=None, status=200, body=BODIES[name])
        found = examine(box)
    assert_well(found)
    broken = {"v1": "legacy_pages_by_after", "list": "list_counts_the_test", "feed": "feed_sends_all"}
    broken |= {"details_v3": "details_v3_is_served", "details_v2": "details_v2_is_served"}
    broken |= {"transcript": "missing_transcript_is_404", "reels": "reels_tell_of_clips"}
    if kind in broken:
        assert found.verdicts[broken[kind]] != HOLDS


@dataclass(frozen=True)
class Spoiling(Variant):
    """Puts odd things into places of good answers."""

    rng: Random = field(default_factory=Random, compare=False)

    def alter(self, kind: str, reply: Reply) -> Reply:
        """Spoil a reply, unless it holds a token or a transcript."""
        if kind == "token" or reply.content_type.startswith("text/"):
            return reply
        return replace(reply, body=json.dumps(self.spoil(json.loads(reply.body))).encode())

    def spoil(self, node: Any) -> Any:  # noqa: ANN401 - JSON is anything
        """Return JSON of which every tenth part is something else."""
        if self.rng.random() < 0.1:
            return self.rng.choice([None, True, -1, 1.5, 10**30, "", [], {}, [[]], {"": None}, *NASTY_IDS])
        if isinstance(node, dict):
            return {name: self.spoil(inner) for name, inner in node.items() if self.rng.random() > 0.03}
        return [self.spoil(inner) for inner in node] if isinstance(node, list) else node


@pytest.mark.parametrize("seed", range(20))
def test_good_answers_with_odd_parts(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same odd parts at each run."""
    assert_well(examine_variant(Spoiling(rng=Random(seed)), monkeypatch))  # noqa: S311 - test data
