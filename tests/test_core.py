"""The SDK's own tests of a tap, run against the sandbox.

They start the tap, discover, sync every stream and look at each declared column; what they do not look at (resuming,
incremental syncs, errors) the other tests do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import catalog, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STREAM_NAMES = tuple(stream.name for stream in STREAMS)

# The SDK's runner builds its taps from a fixed config when the class is made, so the port is taken then; nothing is
# served before the fixture below starts it.
BOX = Sandbox(World.seeded(seed=7, scale="small"))
BOX.world.undocumented = {"sentimentScore": 0.4}  # or `extra_fields` would be empty in every row


@pytest.fixture(scope="module", autouse=True)
def _served() -> Iterator[None]:
    with BOX:
        yield


TestCore = get_tap_test_class(
    TapUserTesting,
    config=BOX.config(video_links=True),
    # The environment of whoever runs the tests must not change what they see.
    parse_env_config=False,
    catalog=catalog(STREAM_NAMES),  # also those that are not selected by default
    # No limit: with one the tap samples a single test, and no test has every kind of row. The rows of `sync_status` are
    # written once the streams have ended.
    suite_config=SuiteConfig(max_records_limit=None, ignore_no_records_for_streams=["sync_status"]),
)


def test_a_sample_has_every_kind_of_row(tmp_path: Path) -> None:
    """`--test` shows one row of each selected stream: it samples a test whose product type has such rows.

    `sync_status` has none, as nothing is synced.
    """
    world = World()
    for product_type in ("SURVEY", "THINK_OUT_LOUD", "NON_THINK_OUT_LOUD"):
        test = world.add_test(product_type)
        world.clip(world.add_session(test))
        world.edit_reel(test)
    with Sandbox(world) as box:
        run = sync(box.config(video_links=True), tmp_path, select=STREAM_NAMES, args=["--test"])
        default = sync(box.config(), tmp_path, args=["--test"])
    assert run.exit == 0
    assert {name: len(run.records(name)) for name in STREAM_NAMES} == {
        name: int(name != "sync_status") for name in STREAM_NAMES
    }
    assert {message["stream"] for message in default.messages if message["type"] == "SCHEMA"} == {
        entry["stream"] for entry in catalog(())["streams"] if _is_on(entry)
    }


def _is_on(entry: dict[str, Any]) -> bool:
    root = next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])
    return bool(root["selected-by-default"]) and entry["stream"] != "session_videos"
