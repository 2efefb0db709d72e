"""The report holds shapes, names of headers, status codes and counts, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_usertesting import __version__
from tap_usertesting.doctor.assumption import REFUTED
from tap_usertesting.doctor.vocabulary import FIELDS
from tap_usertesting.sandbox import Sandbox, World
from tap_usertesting.sandbox.set_up import set_up
from tap_usertesting.sandbox.variant import Variant
from tests.doctor.examined import examine_variant
from tests.doctor.planting import NAMES, Planting
from tests.doctor.variants import ALL
from tests.support.harness import sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox.requests_and_replies import Reply

ROOT = Path(__file__).parents[2]
# Columns that the tap makes, or whose field has another name in the API.
OWN_COLUMNS = {"workspaceId", "sdcDeletedAt", "changeCursor", "deletedAt", "extraFields", "fetchedAt", "detailsVersion"}
OWN_COLUMNS |= {"clipId", "clipNumber", "cueNumber", "cues", "startMs", "endMs", "speaker", "vtt", "taskNumber"}
OWN_COLUMNS |= {"taskText", "demographicNumber", "questionType", "testUuid", "testWithClips", "lastUpdatedAt", "raw"}
OWN_COLUMNS |= {"videoId", "componentsAttitudinal", "componentsBehavioral", "valuesAppearance", "valuesBehavioral"}
OWN_COLUMNS |= {"valuesLoyalty", "valuesTrust", "valuesUsability"}


def test_none_of_500_planted_values_gets_out(tmp_path: Path) -> None:
    """Names, titles, answers, words, messages of errors, values of headers, cookies, and unknown names of fields."""
    planting = Planting(quota=None)
    world = set_up(World.seeded(), planting)
    world.feed_options.refuse(planting.value(), test_uuid=list(world.tests.values())[-1].test_uuid)
    with Sandbox(world) as box:
        done = sync(box.config(feed_access_token=box.feed_token), tmp_path, args=["--doctor"])
        secrets = [box.client_secret, box.feed_token, str(box.port)]
    report = json.loads(done.stdout)
    assert len(planting.planted) >= 500
    out = (done.stdout.decode() + done.log).lower()
    ids = [*world.tests, *world.sessions, *world.workspaces]
    ids += [event.cursor for test in world.tests.values() for event in test.events]
    leaked = [value for value in (*planting.planted, *NAMES, *ids, *secrets) if value.lower() in out]
    assert leaked == []
    assert report["calls"]["Results API"] == 14  # it has really asked
    assert "unknown_1" in done.stdout.decode()


@pytest.mark.parametrize("kind", ["token", "list"])
def test_a_run_that_ends_early_says_nothing_of_the_server_either(tmp_path: Path, kind: str) -> None:
    """The one line names the status and the setting."""
    with Sandbox(World.seeded()) as box:
        box.fail(kind, times=None, status=401, body={"error": "Amelie", "error_description": "Amelie was here"})
        done = sync(box.config(), tmp_path, args=["--doctor"])
    [error] = done.errors
    assert "HTTP 401" in error
    assert "check client_id and client_secret" in error
    assert "Amelie" not in done.log
    assert (done.exit, done.stdout) == (1, b"")


def test_what_the_report_says_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions, the day, the names of the settings that are set, and the quota."""
    report = examine_variant(Variant(), monkeypatch, start_date="2025-01-01").report
    assert report["tap"] == __version__
    assert re.fullmatch(r"3\.\d+\.\d+\S*", report["python"])
    assert re.fullmatch(r"\d+\.\d+\S*", report["singer_sdk"])
    assert report["date"] == "2026-02-02"
    assert {"client_id", "client_secret", "feed_url", "start_date"} <= set(report["settings"])
    assert report["quota"] == {
        "limit": 10,
        "window_s": 60,
        "scope": "shared",
        "headers": ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
    }
    assert set(report["assumptions"]) == ALL


def test_what_the_report_says_of_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls, statuses, header names and shapes."""
    endpoints = examine_variant(Variant(), monkeypatch).report["endpoints"]
    found = endpoints["list"]
    assert (found["calls"], found["statuses"]) == (5, {"200": 4, "404": 1})
    assert {"cache-control", "content-type", "x-ratelimit-limit"} <= set(found["headers"])
    assert found["error JSON"] == {"error": "text of 2 to 10", "message": "text of 11 to 100", "statusCode": "number"}
    assert found["ok JSON"]["meta"] == {"pagination": {"limit": "number", "offset": "number", "totalCount": "number"}}
    [length, session] = found["ok JSON"]["sessions"]
    assert length == "2 to 10 of"
    assert session["finishTime"] == "null or text of 11 to 100"
    assert list(endpoints["transcript"]["no JSON"]) == ["WebVTT of 1001 to 10000 bytes"]


def test_a_quota_under_other_names_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of headers are what a maintainer needs to see."""

    class Renamed(Variant):
        def alter(self, kind: str, reply: Reply) -> Reply:
            more = [("RateLimit-Limit", "10"), ("RateLimit-Policy", "10;w=60"), ("X-Amzn-Trace-Id", "Root=1-67")]
            return reply.adding([*more, ("X-Weird-Thing", "1")]) if kind == "list" else reply

    report = examine_variant(Renamed(), monkeypatch).report
    assert {"ratelimit-limit", "ratelimit-policy"} <= set(report["quota"]["headers"])
    headers = report["endpoints"]["list"]["headers"]
    assert "ratelimit-policy" in headers
    assert "x-weird-thing" not in headers
    assert any(name.startswith("unknown_") for name in headers)


def test_the_table_names_each_assumption(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refuted comes first, and the last lines sum up."""
    found = examine_variant(Variant(token_end=False), monkeypatch)
    lines = [line for line in found.stderr.splitlines() if " | " not in line]
    rows = [line for line in lines if line.startswith(("refuted", "holds", "could not tell"))]
    assert len(rows) == len(ALL)
    assert rows[0].split()[:2] == [REFUTED, "token_names_its_end"]
    assert lines[-3:] == [
        f"totals: refuted 1, could not tell 0, holds {len(ALL) - 1}",
        "calls answered: 14 of the Results API, 5 of the legacy API, 4 of the change",
        "feed, 1 of the token endpoint",
    ]


def documented_fields() -> Iterator[str]:
    """Every name of a property in the schemas of the streams, as the API writes it."""

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            properties = node.get("properties")
            yield from properties if isinstance(properties, dict) else ()
            for inner in node.values():
                yield from walk(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from walk(inner)

    for path in {*(ROOT / "schemas").glob("*.json")} - {ROOT / "schemas" / "sync_status.json"}:  # which no API sends
        for name in walk(json.loads(path.read_text(encoding="utf-8"))):
            yield re.sub(r"_(\w)", lambda match: match[1].upper(), name.lstrip("_"))


def test_the_fields_of_the_schemas_are_known() -> None:
    """A field that a stream has is named in a report, not numbered."""
    assert set(documented_fields()) - FIELDS - OWN_COLUMNS == set()


def test_the_sandbox_sends_no_field_that_is_unknown_but_inside_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is documented is named wherever it stands."""
    for label, endpoint in examine_variant(Variant(), monkeypatch).report["endpoints"].items():
        inside = json.dumps(endpoint).count("unknown_")
        assert (inside > 0) is (label == "details_v3"), label
