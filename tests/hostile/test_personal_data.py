"""Planted words, people, names and secrets, and a search through all that the command lets out, in each way to run it.

Every marker stands in one place of what the APIs answer, or in one setting, so that a failure names what was let out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.support.forked import run_tap
from tests.support.harness import LONG, arguments, catalog, parse, personal_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STREAMS = (
    "workspaces",
    "tests",
    "sessions",
    "result_changes",
    "highlight_reels",
    "session_details",
    "task_responses",
    "participant_demographics",
    "transcripts",
    "transcript_cues",
    "session_clips",
    "session_videos",
)
LINK = "5a4d626f78"  # what signs the sandbox's links to videos
# The columns that hold each marker, `stream.column`; none for what no column is named for.
PLANTED: dict[str, set[str]] = {
    "qzwho": {"session_details.session_participant", "participant_demographics.participant_id"},
    "qzdemographic": {"session_details.session_participant", "participant_demographics.value"},
    "qzanswer": {"session_details.tasks", "task_responses.answer"},
    "qzdeep": {"session_details.tasks", "task_responses.answer"},
    "qzsaid": {"transcripts.vtt", "transcripts.text", "transcripts.cues", "transcript_cues.text"},
    "qzvoice": {"transcripts.vtt", "transcripts.cues", "transcript_cues.speaker"},
    "qznote": {"transcripts.vtt"},
    "qzcueid": {"transcripts.vtt"},
    "qzclip": {"session_clips.name"},
    "qzabout": {"session_clips.description"},
    "qzreel": {"highlight_reels.name"},
    LINK: {"session_videos.video_url"},
    "qzmail": {"session_details.session_participant"},
    "qzfree": {"session_details.session_participant"},
    "qzcomment": {"session_details.tasks"},
    "qzfilm": {"session_details.tasks"},
}
# Beside the columns: fields that no document names, of each object that makes a row.
UNKNOWN = ("qzlisted", "qzdetail", "qzcut", "qzhighlight", "qzlinked", "qzstudy", "qzspace")
HIDDEN = {
    stream: {path.split(".")[0].removesuffix("[]") for path in paths} for stream, paths in personal_paths().items()
}
SALT = "hush-salt-0815-of-the-warehouse"
SECRETS = {
    "client_secret": "hush-client-7Kq2",
    "feed": "hush-feed-9Zx4",
    "key": "hush-key-in-the-url-3Vw8",
    "salt": SALT,
}
MODES: dict[str, dict[str, Any]] = {
    "omit": {"exclude_personal_data": "omit"},
    "hash": {"exclude_personal_data": "hash", "personal_data_salt": SALT},
}


@dataclass
class Out:
    """All that a run of the command let out."""

    exit: int
    stdout: str
    log: str
    files: str

    def holds(self, *places: str) -> set[str]:
        """Return which markers stand in these outputs, all by default, however their letters are."""
        text = "\n".join(getattr(self, place) for place in places or ("stdout", "log", "files")).lower()
        return {marker for marker in (*PLANTED, *UNKNOWN) if marker in text}

    @property
    def secrets(self) -> set[str]:
        """The secrets that stand anywhere, by their name."""
        text = self.stdout + self.log + self.files
        return {name for name, secret in SECRETS.items() if secret in text}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """One test of one session, in all of whose answers something of a person or a field that is not known stands."""
    world = World(seed=3)
    test = world.add_test("THINK_OUT_LOUD", workspace=world.add_workspace())
    vtt = "WEBVTT\n\nNOTE qznote\n\nqzcueid\n00:01.000 --> 00:02.000\n<v qzvoice>I am qzsaid.\n"
    session = world.add_session(test, transcript="ready", details=a_participant(), vtt=vtt)
    session.clips.clear()
    world.clip(session, "qzclip").update(description="qzabout", note="qzcut")
    world.edit_reel(test).update(name="qzreel", owner="qzhighlight")
    with Sandbox(world, quota=None) as running:
        running.tokens.client_secret = SECRETS["client_secret"]
        running.feed_token = SECRETS["feed"]
        item = {**session.summary(), "participantName": "qzlisted"}
        page = {"testId": test.test_id, "sessions": [item], "meta": {"pagination": {"totalCount": 1}}}
        running.fail("list", times=None, status=200, body=page)
        running.fail(
            "v1", times=None, status=200, body=[{**test.study_item("MQ"), "by": "qzstudy"}], match=test.workspace.uuid
        )
        spaces = [{"uuid": test.workspace.uuid, "name": "A workspace", "cursor": "MQ", "owner": "qzspace"}]
        running.fail("v1", times=None, status=200, body=spaces)
        link = {"videoUrl": f"https://media.example.com/1?X-Amz-Signature={LINK}", "expiresAt": None, "by": "qzlinked"}
        running.fail("video", times=None, status=200, body=link)
        yield running


def a_participant() -> dict[str, Any]:
    """Return details in the v3 shape; the sandbox makes those of v2 of them."""
    answer = {"written": {"value": "qzanswer", "words": [{"deep": ["qzdeep"]}]}}
    response = {"startTimeMs": 1, "endTimeMs": 2, "skipped": False, "answer": answer, "recording": "qzfilm"}
    info = {"id": "q1", "code": "JOB", "label": "What?", "value": "qzdemographic", "type": None, "freeText": "qzfree"}
    return {
        "sessionParticipant": {"participantId": "qzwho", "email": "qzmail", "demographicsInfo": [info]},
        "tasks": [{"uuid": "t1", "text": "Say it", "type": "WRITTEN", "response": response, "comment": "qzcomment"}],
        "impression": "qzdetail",
    }


@pytest.fixture
def run(box: Sandbox, tmp_path: Path) -> Callable[..., Out]:
    """Run the command at DEBUG in a folder of its own and read all that it writes there and elsewhere."""

    def go(*args: str, entries: dict[str, Any] | None = None, **settings: object) -> Out:
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        config = {
            **box.config(feed_url=f"{box.feed_url}?key={SECRETS['key']}", feed_access_token=SECRETS["feed"]),
            "video_links": True,
            "max_retries": 2,
            **settings,
        }
        options = arguments(config, tmp_path, entries=entries or catalog(STREAMS))
        env = {**os.environ, "TAP_USERTESTING_LOGLEVEL": "DEBUG"}
        done = run_tap([*options, *args], env=env, timeout=LONG, cwd=folder)
        files = [path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file()]
        out = Out(done.returncode, done.stdout.decode(), done.stderr.decode(), "\n".join(files))
        assert not out.secrets
        assert not out.holds("log", "files")
        return out

    return go


def streams_of(out: Out) -> set[str]:
    """Return the streams that have a record."""
    return {message["stream"] for message in parse(out.stdout.encode()) if message["type"] == "RECORD"}


def without_columns(entries: dict[str, Any], columns: dict[str, set[str]], *, trim: bool) -> dict[str, Any]:
    """Return a catalog in which these columns are not selected, or are not there at all."""
    for entry in entries["streams"]:
        hidden = columns.get(entry["stream"], set())
        of_hidden = [item for item in entry["metadata"] if item["breadcrumb"][1:2] and item["breadcrumb"][1] in hidden]
        for item in of_hidden:
            item["metadata"].update(selected=False, inclusion="available")
        if trim:
            entry["metadata"] = [item for item in entry["metadata"] if item not in of_hidden]
            for column in hidden:
                del entry["schema"]["properties"][column]
    return entries


def test_all_is_there_to_be_found(run: Callable[..., Out]) -> None:
    """What the other tests do not find stands in the records without a setting; in the log it never does."""
    out = run()
    assert out.exit == 0
    assert " | DEBUG " in out.log
    assert out.holds("stdout") >= set(PLANTED)
    assert streams_of(out) == set(STREAMS)
    assert "qzanswer" in run(session_details_version="v2").holds("stdout")


WAYS: list[Any] = [
    pytest.param((), {}, id="sync"),
    pytest.param((), {"session_details_version": "v2", "change_source": "listing"}, id="v2 by list"),
    pytest.param((), {"flattening_enabled": True, "flattening_max_depth": 4}, id="flattened"),
    pytest.param(("--test",), {}, id="test"),
    pytest.param(("--plan",), {}, id="plan"),
    pytest.param(("--plan=json",), {}, id="plan as JSON"),
    pytest.param(("--discover",), {}, id="discovery"),
]


@pytest.mark.parametrize(("args", "settings"), WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_excluded_personal_data_stays(
    run: Callable[..., Out], mode: str, args: tuple[str, ...], settings: dict[str, Any]
) -> None:
    """Under omit and hash nothing that was planted leaves, fields that no document names included."""
    out = run(*args, **MODES[mode], **settings)
    assert out.exit == 0, out.log
    assert not out.holds()


@pytest.mark.parametrize("mode", MODES)
def test_excluded_personal_data_stays_under_full_table(run: Callable[..., Out], mode: str) -> None:
    """FULL_TABLE takes another way through the SDK."""
    out = run(entries=catalog(STREAMS, replication_method="FULL_TABLE"), **MODES[mode])
    assert out.exit == 0, out.log
    assert not out.holds()


# Ways to hide columns without the setting: a catalog, and settings for the same columns.


def _deselected(columns: dict[str, set[str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return without_columns(catalog(STREAMS), columns, trim=False), {}


def _trimmed(columns: dict[str, set[str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return without_columns(catalog(STREAMS), columns, trim=True), {}


def _mapped_away(columns: dict[str, set[str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    maps = {stream: dict.fromkeys(names, "__NULL__") for stream, names in columns.items()}
    return catalog(STREAMS), {"stream_maps": maps}


def _digested(columns: dict[str, set[str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take digests of texts; objects are mapped away, as `md5` takes texts only."""
    entries = catalog(STREAMS)
    schemas = {entry["stream"]: entry["schema"]["properties"] for entry in entries["streams"]}
    maps = {
        stream: {
            name: f"md5({name}) if {name} else None" if "string" in schemas[stream][name]["type"] else "__NULL__"
            for name in names
        }
        for stream, names in columns.items()
    }
    return entries, {"stream_maps": maps}


HIDING = [_deselected, _trimmed, _mapped_away, _digested]


@pytest.mark.parametrize(
    ("args", "flattening"),
    [
        pytest.param((), {}, id="sync"),
        pytest.param((), {"flattening_enabled": True, "flattening_max_depth": 4}, id="flattened"),
        pytest.param(("--test",), {}, id="test"),
    ],
)
@pytest.mark.parametrize("hide", HIDING)
def test_hidden_columns_stay(
    run: Callable[..., Out],
    hide: Callable[[dict[str, set[str]]], tuple[dict[str, Any], dict[str, Any]]],
    args: tuple[str, ...],
    flattening: dict[str, Any],
) -> None:
    """With every column of personal data hidden, nothing that stood in one leaves; the rest of each row does."""
    entries, settings = hide(HIDDEN)
    out = run(*args, entries=entries, **settings, **flattening)
    assert out.exit == 0, out.log
    assert not out.holds("stdout") & set(PLANTED)
    assert streams_of(out) == set(STREAMS)


@pytest.mark.parametrize("hide", HIDING)
def test_a_hidden_column_stays_and_the_others_leave(
    run: Callable[..., Out], hide: Callable[[dict[str, set[str]]], tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    """Hiding one column of each stream takes what stands in it alone."""
    one_of_each = {stream: {min(columns)} for stream, columns in HIDDEN.items()}
    gone = {f"{stream}.{column}" for stream, columns in one_of_each.items() for column in columns}
    entries, settings = hide(one_of_each)
    out = run(entries=entries, **settings)
    assert out.exit == 0, out.log
    assert out.holds("stdout") & set(PLANTED) == {marker for marker, columns in PLANTED.items() if columns - gone}


# What other libraries say when something goes wrong: the fixture looks at the log of each run.

GARBAGE = " ".join([*PLANTED, *UNKNOWN, *SECRETS.values()])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f'{{"a": "{GARBAGE}', id="cut"),
        pytest.param(f"<html><title>{GARBAGE}</title>", id="HTML"),
        pytest.param([GARBAGE], id="a list"),
        pytest.param({"data": {GARBAGE: GARBAGE}, GARBAGE: [{GARBAGE: GARBAGE}]}, id="an object"),
        pytest.param({"sessions": GARBAGE, "clips": [GARBAGE, {"name": [GARBAGE]}], "reels": [GARBAGE]}, id="types"),
    ],
)
@pytest.mark.parametrize("mode", [{}, MODES["omit"]], ids=["", "omit"])
def test_answers_that_cannot_be_read_are_not_repeated(
    box: Sandbox, run: Callable[..., Out], mode: dict[str, Any], body: object
) -> None:
    """Garbage from every endpoint but those without which nothing is asked."""
    box.orders.clear()
    for kind in ("details_v3", "transcript", "clips", "reels", "video", "feed"):
        box.fail(kind, times=None, status=200, body=body)
    out = run(**mode)
    assert not mode or not out.holds()


@pytest.mark.parametrize(
    "maps",
    [
        pytest.param({"transcripts": {"words": "int(text)"}}, id="a value"),
        pytest.param({"transcript_cues": {"text": "text.nothing"}}, id="an attribute"),
        pytest.param({"participant_demographics": {"value": "record['value'] + 1"}}, id="a type"),
        pytest.param({"session_clips": {"name": "{}[name]"}}, id="a key"),
    ],
)
def test_a_map_that_fails_does_not_repeat_what_it_was_given(run: Callable[..., Out], maps: dict[str, Any]) -> None:
    """The error of an expression names the column, not the value, in a traceback or without one."""
    run(stream_maps=maps)


# Secrets in settings that are wrong: the fixture looks for them, too.


@pytest.mark.parametrize("args", [(), ("--test",)], ids=["sync", "test"])
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"client_secret": [SECRETS["client_secret"]]}, id="a list"),
        pytest.param({"client_secret": {SECRETS["client_secret"]: 1}}, id="an object"),
        pytest.param({"feed_access_token": f"{SECRETS['feed']}\nmore"}, id="a line break"),
        pytest.param({"feed_access_token": f"{SECRETS['feed']}\N{EM DASH}"}, id="a dash"),
        pytest.param({"access_token": f"{SECRETS['feed']}\r\n"}, id="CR LF"),
        pytest.param({"personal_data_salt": [SALT]}, id="a salt"),
        pytest.param({"feed_url": f"https://[{SECRETS['key']}"}, id="no URL"),
        pytest.param({"feed_url": f"http://me:{SECRETS['key']}@localhost:1/"}, id="a password"),
        pytest.param({"client_secretes": SECRETS["client_secret"]}, id="a misspelt name"),
    ],
)
def test_a_wrong_setting_is_not_repeated(
    run: Callable[..., Out], settings: dict[str, Any], args: tuple[str, ...]
) -> None:
    """Whatever is wrong with a secret, the line about it names the setting only."""
    run(*args, **settings)
