"""Config, catalog and state files: each form in which people hand them over, or one line that names the file."""

from __future__ import annotations

import copy
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.config.validation import SettingsError
from tap_usertesting.singer.command_line import EX_CONFIG
from tap_usertesting.singer.input_files import drop_unsound, read_state
from tests.support.harness import SESSION_STREAMS, Warehouse, catalog, sync, sync_here
from tests.support.tables import assert_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox

STATE = {"bookmarks": {"sessions": {"partitions": [{"context": {"test_id": "a"}, "replication_key_value": "c"}]}}}
OLDER = {"bookmarks": {"sessions": {"partitions": [{"context": {"test_id": "a"}, "replication_key_value": "b"}]}}}
LINE, OLD_LINE = json.dumps(STATE), json.dumps(OLDER)
HUSH = "hush-in-a-file"


def encoded(document: object) -> bytes:
    """Return a document as JSON."""
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(encoded(STATE), id="plain"),
        pytest.param(json.dumps(STATE, indent=2).replace("\n", "\r\n").encode(), id="indented, from Windows"),
        pytest.param(b"\xef\xbb\xbf" + encoded(STATE), id="with a mark"),
        pytest.param(json.dumps(STATE).encode("utf-16"), id="from PowerShell"),
        pytest.param(encoded({"singer_state": STATE}), id="meltano state get"),
        pytest.param(encoded({"completed": {"singer_state": STATE}, "partial": {}}), id="stored by Meltano"),
        pytest.param(
            encoded({"completed": {}, "partial": {"singer_state": STATE}}), id="stored by Meltano after a failure"
        ),
        pytest.param(
            encoded({"completed": {"singer_state": OLDER}, "partial": {"singer_state": STATE}}), id="both: the newer"
        ),
        pytest.param(encoded({"type": "STATE", "value": STATE}), id="STATE message"),
        pytest.param(f"{OLD_LINE}\n{LINE}\n".encode(), id="a target's output"),
        pytest.param(f"{OLD_LINE}\r\n{LINE}".encode(), id="without a last line break"),
        pytest.param(f"{OLD_LINE}\n{LINE}\n{LINE[:20]}".encode(), id="cut off"),
        pytest.param(f"loading\n{OLD_LINE}\n{LINE}\ndone: 5 rows\n".encode(), id="among other lines"),
        pytest.param(f'{OLD_LINE}\n{LINE}\n{{"rows": 5}}\n{{}}\nnull\n[1]\n7\n'.encode(), id="among other JSON"),
        pytest.param(
            f'{{"type": "RECORD", "stream": "s", "record": {{}}}}\n{{"type": "STATE", "value": {LINE}}}\n'.encode(),
            id="a tap's output",
        ),
    ],
)
def test_a_state_is_understood_in_each_form(tmp_path: Path, content: bytes) -> None:
    """Read as no state it would cost everything once more, silently."""
    (tmp_path / "state.json").write_bytes(content)
    said: list[str] = []
    assert read_state("state.json", said.append) == STATE
    assert said == []


@pytest.mark.parametrize(
    "content", ["", " \n", "{}", "null", '{"singer_state": {}}', '{"completed": {}, "partial": {}}']
)
def test_an_empty_state_is_none_and_said(tmp_path: Path, content: str) -> None:
    """As before a first sync; one line tells a first sync from a state that was lost."""
    (tmp_path / "state.json").write_text(content, encoding="utf-8")
    said: list[str] = []
    assert read_state("state.json", said.append) == {}
    [line] = said
    assert "state.json" in line


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[]", id="list"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"7", id="number"),
        pytest.param(b"{" + b'"bookmarks": ' + b"{", id="cut off"),
        pytest.param(f'{{"client_secret": "{HUSH}"}}'.encode(), id="a config"),
        pytest.param(f'{{"client_secret": "{HUSH}",}}'.encode(), id="a broken config"),
        pytest.param(encoded({"streams": []}), id="a catalog"),
        pytest.param(b"no state here\n", id="text lines"),
        pytest.param(b'{"type": "RECORD"}\n{"type": "SCHEMA"}\n', id="lines without a state"),
        pytest.param(b"\xff\xfe\xfa", id="bytes"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_state_is_one_line_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    """And never repeats what stands in it."""
    (tmp_path / "my state.json").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^--state my state\.json: ") as caught:
        read_state("my state.json", lambda _: None)
    assert "\n" not in str(caught.value)
    assert HUSH not in str(caught.value)


CONFIGS: list[Any] = [
    pytest.param(None, "cannot be read", id="missing"),
    pytest.param(b"", "empty", id="empty"),
    pytest.param(f'{{"client_secret": "{HUSH}"'.encode(), "not JSON", id="broken"),
    pytest.param(f'["{HUSH}"]'.encode(), "not a JSON object", id="a list"),
    pytest.param(b"null", "not a JSON object", id="null"),
    pytest.param(b"\xff\xfe\xfa", "UTF-8", id="bytes"),
    pytest.param(b"client_id: me\nclient_secret: you\n", "not JSON", id="YAML"),
]


@pytest.mark.parametrize("args", [(), ("--test",), ("--discover",), ("--plan",)], ids=str)
@pytest.mark.parametrize(("content", "why"), CONFIGS)
def test_a_config_that_is_none_is_one_line(
    tmp_path: Path,
    content: bytes | None,
    why: str,
    args: tuple[str, ...],
    command: Callable[..., int],
    critical: Callable[[], list[str]],
) -> None:
    """At every command, with the file's name and status 78."""
    if content is not None:
        (tmp_path / "my.json").write_bytes(content)
    assert command("--config", "my.json", *args) == EX_CONFIG
    [line] = critical()
    assert line.startswith("--config my.json: ")
    assert why in line
    assert HUSH not in line


@pytest.mark.parametrize("kind", ["catalog", "state"])
@pytest.mark.parametrize("args", [(), ("--plan",)], ids=str)
@pytest.mark.parametrize(
    ("content", "why"), [one for one in CONFIGS if one.id in {"missing", "broken", "a list", "bytes"}]
)
def test_a_catalog_or_state_that_is_none_is_one_line(
    tmp_path: Path,
    kind: str,
    content: bytes | None,
    why: str,
    args: tuple[str, ...],
    command: Callable[..., int],
    critical: Callable[[], list[str]],
) -> None:
    """A plan reads them as a sync does."""
    del why
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    if content is not None:
        (tmp_path / "my.json").write_bytes(content)
    assert command("--config", "config.json", f"--{kind}", "my.json", *args) == EX_CONFIG
    [line] = critical()
    assert line.startswith(f"--{kind} my.json: ")
    assert HUSH not in line


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"streams": None},
        {"streams": {"a": 1}},
        {"streams": [1]},
        {"streams": [{}]},
        {"bookmarks": {}},
        {"streams": ["a"]},
    ],
    ids=str,
)
def test_a_catalog_of_another_shape_is_one_line(
    tmp_path: Path, document: object, command: Callable[..., int], critical: Callable[[], list[str]]
) -> None:
    """Read as an empty one it would select everything, or nothing."""
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "my.json").write_bytes(encoded(document))
    assert command("--config", "config.json", "--catalog", "my.json") == EX_CONFIG
    [line] = critical()
    assert line.startswith("--catalog my.json: not a Singer catalog")


def test_a_folder_in_the_place_of_a_file_is_one_line(
    tmp_path: Path, command: Callable[..., int], critical: Callable[[], list[str]]
) -> None:
    """As a volume that was not mounted leaves it."""
    (tmp_path / "config.json").mkdir()
    assert command("--config", "config.json") == EX_CONFIG
    [line] = critical()
    assert line.startswith("--config config.json: cannot be read")


def test_a_later_config_file_wins(tmp_path: Path, box: Sandbox) -> None:
    """As in the SDK; a byte order mark and line breaks of Windows do no harm."""
    (tmp_path / "later.json").write_bytes(b"\xef\xbb\xbf" + encoded({"test_ids": list(box.world.tests)[:1]}) + b"\r\n")
    done = sync(box.config(), tmp_path, select=["sessions"], args=["--config", "later.json"])
    assert done.exit == 0, done.log
    assert len(done.records("sessions")) == 2


@pytest.mark.parametrize("wrapped", ["meltano", "lines"])
def test_a_sync_goes_on_from_a_state_in_another_form(tmp_path: Path, box: Sandbox, wrapped: str) -> None:
    """Through the real command line: nothing is read again, and a plan says so."""
    first = sync_here(box.config(), select=SESSION_STREAMS)
    content = (
        json.dumps({"singer_state": first.state}) if wrapped == "meltano" else f"ok\n{json.dumps(first.state)}\nok\n"
    )
    (tmp_path / "handed.json").write_text(content, encoding="utf-8")
    again = sync(box.config(), tmp_path, select=SESSION_STREAMS, args=["--state", "handed.json"])
    assert again.exit == 0, again.log
    assert again.records() == []
    plan = sync(box.config(), tmp_path, select=SESSION_STREAMS, args=["--state", "handed.json", "--plan=json"])
    assert plan.exit == 0, plan.log
    fresh = sync(box.config(), tmp_path, select=SESSION_STREAMS, args=["--plan=json"])
    assert json.loads(plan.stdout) != json.loads(fresh.stdout)


def _spoil(path: tuple[Any, ...], value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:  # noqa: ANN401 - JSON
    def spoil(state: dict[str, Any]) -> dict[str, Any]:
        spoiled = copy.deepcopy(state)
        node: Any = spoiled
        for step in path[:-1]:
            node = node[step]
        if value is ...:
            del node[path[-1]]
        else:
            node[path[-1]] = value
        return spoiled

    return spoil


NO_DAYS = ("9999-99-99", "0000-00-00", "2026-02-30")
FIRST = ("bookmarks", "sessions", "partitions", 0)
INNER: list[tuple[tuple[Any, ...], list[Any]]] = [
    (("bookmarks",), [[], "x", 7, True]),
    (FIRST[:2], [None, [], "x", 7]),
    (FIRST[:3], [None, {}, "x", 7, [None], ["x"], [[]]]),
    (FIRST, [None, [], "x", {}]),
    ((*FIRST, "context"), [..., None, [], "x", {}, {"test_id": None}, {"other": "x"}]),
    ((*FIRST, "replication_key_value"), [None, 7, [], {}, True, *(f"{day}T00:00:00.000000Z/x" for day in NO_DAYS)]),
    *(
        ((*FIRST, key), [None, 7, "x", [], [7, None], [["a"]], {}, {"a": None}, {"a": 7}, {"a": {}}])
        for key in (
            *("waiting", "recent", "tombstoned", "source", "changed_at", "total_count", "recent_from", "history"),
            *("floor", "asked_at", "start_date", "reopened_until", "misses", "asleep"),
        )
    ),
]
SPOILED = [
    pytest.param(_spoil(path, value), id=f"{'.'.join(map(str, path[1:]))}={value}")
    for path, values in INNER
    for value in values
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_state_of_a_wrong_inner_shape_costs_no_row(
    box: Sandbox, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """What is not understood is read again; a new session arrives in any case."""
    warehouse = Warehouse()
    first = sync_here(box.config(), select=SESSION_STREAMS)
    warehouse.load(first.messages)
    box.world.add_session(next(iter(box.world.tests.values())))
    assert first.state is not None
    second = sync_here(box.config(), select=SESSION_STREAMS, state=spoil(first.state))
    assert second.exit == 0
    warehouse.load(second.messages)
    assert_true(warehouse, box.world, SESSION_STREAMS)
    third = sync_here(box.config(), select=SESSION_STREAMS, state=second.state)
    assert third.exit == 0
    assert third.records() == []


def test_a_test_that_a_state_names_twice_counts_once() -> None:
    """The later entry, as where Meltano has joined two states."""
    said: list[str] = []
    both = [*OLDER["bookmarks"]["sessions"]["partitions"], *STATE["bookmarks"]["sessions"]["partitions"]]
    assert drop_unsound({"bookmarks": {"sessions": {"partitions": both}}}, said.append) == STATE
    [line] = said
    assert "sessions" in line


def test_a_sound_state_stays_as_it_is(box: Sandbox) -> None:
    """Without a word."""
    state = sync_here(box.config()).state
    assert state is not None
    said: list[str] = []
    assert drop_unsound(state, said.append) == state
    assert said == []


def test_files_come_from_pipes_too(tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--state -` and `<(...)` are read as files."""
    (tmp_path / "handed.json").write_text(LINE, encoding="utf-8")
    with (tmp_path / "handed.json").open(encoding="utf-8") as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        assert read_state("-", lambda _: None) == STATE
    del box


def test_a_catalog_selects_as_before(tmp_path: Path, box: Sandbox) -> None:
    """What discovery writes is understood."""
    done = sync(box.config(), tmp_path, entries=catalog(["tests"]))
    assert done.exit == 0, done.log
    assert {message["stream"] for message in done.messages if message["type"] == "RECORD"} == {"tests"}
