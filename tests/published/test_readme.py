"""The README says what is so: its generated parts are current, and what it quotes is what the tap prints.

`python -m tests.published.test_readme` writes the generated parts anew.
"""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.doctor.assumptions import ASSUMPTIONS
from tap_usertesting.ledger.state_keys import KEYS
from tap_usertesting.ledger.tally import FATES
from tap_usertesting.report.progress import Lines
from tap_usertesting.sandbox import QuotaRule, Sandbox, World
from tap_usertesting.singer.command_line import EX_CONFIG
from tap_usertesting.singer.status_stream import FAILED, WRITTEN
from tap_usertesting.sync.termination_signals import EXIT_BY_SIGNAL
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import CHANGE_COLUMNS, COMMAND, catalog, sync_here
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_usertesting.report.summary import Summary
    from tap_usertesting.singer.stream import UserTestingStream

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"

HEADINGS = [
    "Quick start",
    "First real run",
    "Installation",
    "Capabilities",
    "Settings",
    "Source authentication",
    "Streams",
    "Incremental sync and state",
    "The quota",
    "Meltano",
    "Exit codes and errors",
    "Personal data",
    "Status and limits",
    "Developing",
]
OTHER_EXITS = {0, 1, 2, EX_CONFIG}  # read, not all read, wrong option, wrong setting or file


@cache
def about() -> str:
    """What the tap says of itself, as markdown."""
    command = [*COMMAND, "--about", "--format=markdown"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def capabilities() -> str:
    """The capabilities as --about lists them."""
    section = about().partition("## Capabilities\n")[2].partition("\n## ")[0]
    return section.strip()


def settings() -> str:
    """The table of settings as --about prints it."""
    section = about().partition("## Settings\n")[2]
    return "\n".join(line for line in section.splitlines() if line.startswith("|"))


def schema_of(stream: str) -> dict[str, Any]:
    """One schema file."""
    [found] = (found for found, entry in declared() if entry["stream"] == stream)
    return dict(found.schemas.get_schema(stream))


def kind_of(node: dict[str, Any]) -> str:
    """A node's type in words."""
    types = [node["type"]] if isinstance(node["type"], str) else [t for t in node["type"] if t != "null"]
    if "format" in node:
        return str(node["format"])
    if types == ["array"]:
        return f"array of {kind_of(node['items'])}s"
    return str(types[0])


def rows_of(properties: dict[str, Any], keys: Sequence[str] = (), path: str = "") -> Iterator[str]:
    """A table row per column and, below it, per documented field inside."""
    for name, node in properties.items():
        full = f"`{path}{name}`"
        full = f"**{full}**" if name in keys and not path else full
        text = node["description"].replace("|", "\\|")
        yield f"| {full} | {kind_of(node)} | {text} |"
        inner = node.get("items", node)
        if "properties" in inner:
            mark = "[]" if "items" in node else ""
            yield from rows_of(inner["properties"], path=f"{path}{name}{mark}.")


def table(rows: Iterator[str]) -> str:
    """Rows under a head."""
    return "\n".join(["| column | type | description |", "|---|---|---|", *rows])


def columns(stream: str) -> str:
    """A stream's description and columns but for the change columns, which stand in a table of their own."""
    schema = schema_of(stream)
    shared = CHANGE_COLUMNS if "change_cursor" in schema["properties"] else ()
    own = {name: node for name, node in schema["properties"].items() if name not in shared}
    keys = next(entry["key_properties"] for _, entry in declared() if entry["stream"] == stream)
    return f"{schema['description']}\n\n{table(rows_of(own, keys))}"


def streams() -> str:
    """The table of streams, by their declarations."""
    rows = ["| stream | key | one row per | replication | cost under the quota |", "|---|---|---|---|---|"]
    for stream, entry in declared():
        by = f" by `{entry['replication_key']}`" if entry.get("replication_key") else ""
        subject = " ".join(str(stream.__doc__).partition("\n\n")[0].split()).removeprefix("One row per ").rstrip(".")
        keys, method = ", ".join(entry["key_properties"]), entry["replication_method"]
        rows.append(f"| `{entry['stream']}` | {keys} | {subject} | {method}{by} | {stream.calls} |")
    return "\n".join(rows)


def all_columns() -> str:
    """The columns of each stream under a heading of its own."""
    names = [str(entry["stream"]) for _, entry in declared()]
    return "\n\n".join(f"#### {name}\n\n{columns(name)}" for name in names)


def declared() -> Iterator[tuple[type[UserTestingStream], dict[str, Any]]]:
    """Each stream in its order, with its entry in the catalog."""
    entries = {entry["stream"]: entry for entry in catalog(())["streams"]}
    for stream in TapUserTesting.catalog_of_streams:
        yield stream, entries[str(vars(stream)["name"])]


def change_columns() -> str:
    """The columns that session-level streams share."""
    properties = schema_of("sessions")["properties"]
    return table(rows_of({name: properties[name] for name in CHANGE_COLUMNS}))


def assumptions() -> str:
    """The table of what `--doctor` tries, by its declarations."""
    rows = [f"| `{one.name}`: {one.sentence} | {one.otherwise} | {one.advice} |" for one in ASSUMPTIONS]
    return "\n".join(["| assumption | if it is wrong | what to set |", "|---|---|---|", *rows])


def plan() -> str:
    """What `--plan` says of a first sync of the sandbox, under its quota."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as out,
        SimulatedTime().install(patch).serve(World.seeded(7, "small"), QuotaRule()) as box,
    ):
        TapUserTesting(config=box.config()).plan("short")
    return f"```text\n{out.getvalue()}```"


def summary() -> str:
    """What a terminal shows at the end of a sync of the sandbox that a budget ends early."""
    sums: list[Summary] = []

    class Kept(Lines):
        def sum_up(self, summary: Summary) -> None:
            sums.append(summary)

    with (
        pytest.MonkeyPatch.context() as patch,
        SimulatedTime().install(patch).serve(World.seeded(7, "small"), QuotaRule()) as box,
    ):
        patch.setattr(TapUserTesting, "make_view", Kept)
        sync_here(box.config(max_calls=40), state_every=1.0)
    return f"```text\n{sums[0].table()}\n```"


def generated() -> dict[str, str]:
    """Every generated part of the README by the name of its marker."""
    return {
        "capabilities": capabilities(),
        "settings": settings(),
        "columns: changes": change_columns(),
        "streams": streams(),
        "columns": all_columns(),
        "assumptions": assumptions(),
        "plan": plan(),
        "summary": summary(),
    }


def with_generated(text: str) -> str:
    """A README with every generated part written anew."""
    for name, body in generated().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        head, found, rest = text.partition(begin)
        tail = rest.partition(end)[2]
        assert found, f"the README has no place for {name}"
        text = f"{head}{begin}\n{body}\n\n{end}{tail}"
    return text


@pytest.fixture(scope="module")
def readme() -> str:
    """The README."""
    return README.read_text(encoding="utf-8")


def section(readme: str, heading: str) -> str:
    """The text under a heading of the second level."""
    return readme.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_headings_stand_in_their_order(readme: str) -> None:
    """What a newcomer needs comes first; nothing is between the headings that nobody decided."""
    assert readme.startswith("# tap-usertesting\n")
    assert re.findall(r"^## (.*)$", readme, flags=re.MULTILINE) == HEADINGS


@pytest.mark.parametrize(
    "name", ["capabilities", "settings", "streams", "columns: changes", "columns", "assumptions", "plan", "summary"]
)
def test_generated_part_is_current(readme: str, name: str) -> None:
    """Settings, capabilities and columns are those of the code; if not: python -m tests.test_readme."""
    found = readme.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- end {name} -->")[0]
    assert found.strip() == generated()[name]


def test_every_option_of_the_command_line_is_named(readme: str) -> None:
    """Whoever reads `--help` finds each option explained."""
    shown = subprocess.run([*COMMAND, "--help"], check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"^\s+(--\w+)", shown, flags=re.MULTILINE))
    assert options >= {"--config", "--state", "--test"}
    table = section(readme, "Installation").partition("| option | does |")[2]
    assert {option for option in options if f"`{option}" not in table} == set()


def test_every_exit_code_is_named(readme: str) -> None:
    """The table of exit codes has those of the code, and no other."""
    named = re.findall(r"^\| (\d+) \|", section(readme, "Exit codes and errors"), flags=re.MULTILINE)
    assert [int(code) for code in named] == sorted(OTHER_EXITS | set(EXIT_BY_SIGNAL.values()))


def test_every_key_of_the_state_is_explained(readme: str) -> None:
    """A partition's state is a contract: no key without its meaning, no meaning without a key."""
    rows = re.findall(r"^\| (`.*?`) \|", section(readme, "Incremental sync and state"), flags=re.MULTILINE)
    explained = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    tally = {"counted", "counted_at", "pending", *FATES}
    assert explained == {"context", "replication_key", "rows", WRITTEN, FAILED, *KEYS}
    assert {key for key in tally if f"`{key}`" not in readme} == set()


def test_examples_of_state_are_whole(readme: str) -> None:
    """What is printed as JSON can be parsed, and holds no key that is not explained."""
    examples = re.findall(r"```json\n(.*?)```", readme, flags=re.DOTALL)
    assert len(examples) == 2
    whole = json.loads(examples[0])["bookmarks"]["transcripts"]["partitions"][0]
    for partition in (whole, json.loads(examples[1])):
        assert {key for key in partition if f"`{key}`" not in readme} == set()


def error_lines(readme: str) -> list[str]:
    """The error lines that the README quotes."""
    part = section(readme, "Exit codes and errors").partition("| line |")[2]
    return re.findall(r"^\| `(.*?)` \| ", part, flags=re.MULTILINE)


def anonymous(line: str) -> str:
    """A line without what differs from run to run: ids and ports."""
    line = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", line)
    return re.sub(r"//[\w.]+(:\d+)?", "//HOST", line)


UNKNOWN_TEST = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
WRONG_SETTINGS: dict[str, dict[str, Any]] = {
    "no credentials": {"client_id": None, "client_secret": None},
    "half of them": {"client_secret": None},
    "wrong secret": {"client_secret": "wrong"},
    "wrong token": {"client_id": None, "client_secret": None, "access_token": "wrong", "feed_url": None},
    "feed elsewhere": {"feed_url": "https://feed.example.com/graphql/"},
    "wrong feed token": {"feed_access_token": "wrong"},
    "feed without address": {"feed_url": None, "change_source": "feed"},
    "number as id": {"test_ids": ["123456"]},
    "words as date": {"start_date": "last week"},
    "plain http": {"api_url": "http://example.com"},
    "unknown test": {"test_ids": [UNKNOWN_TEST], "feed_url": None},
    "nobody there": {"api_url": "http://127.0.0.1:9", "feed_url": None, "max_retries": 1},
    "no word for privacy": {"exclude_personal_data": "true"},
}
BROKEN = [
    "unknown to the feed",
    "broken session",
    "another session",
    "a list that keeps one back",
    "a part of the feed",
]

# Before anything is asked of a server.
REFUSED = {
    *("no credentials", "half of them", "feed elsewhere", "feed without address"),
    *("number as id", "words as date", "plain http", "no word for privacy"),
}


def quoted_by(name: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The error lines of a sync with wrong settings, or with something wrong in the sandbox."""
    world = World(seed=7)
    test = world.add_test(product_type="THINK_OUT_LOUD")
    session = world.add_session(test)
    if name == "unknown to the feed":
        world.forget_in_feed(test)
    with Sandbox(world, quota=None) as box:
        settings = {"test_ids": [test.test_id], **WRONG_SETTINGS.get(name, {})}
        if name == "unknown to the feed":
            settings["change_source"] = "feed"
        if name == "broken session":
            settings["max_retries"] = 2
            box.fail("details_v3", times=None, status=500, match=session.session_id)
        if name == "another session":
            settings["max_retries"] = 2
            world.add_session(test)
            box.fail("details_v3", times=None, fault="other", match=session.session_id)
        if name == "a list that keeps one back":
            counted = {"pagination": {"totalCount": 2}}
            box.fail("list", times=None, status=200, body={"sessions": [session.summary()], "meta": counted})
            settings["change_source"] = "listing"
        if name == "a part of the feed":
            world.add_session(test)
            world.feed_options.cap = 1
        config = {key: value for key, value in box.config(**settings).items() if value is not None}
        synced = sync_here(config, select=["sessions", "session_details"])
    assert synced.exit == (78 if name in REFUSED else 1)
    return [record.getMessage() for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]


@pytest.mark.parametrize("name", [*WRONG_SETTINGS, *BROKEN])
def test_quoted_error_is_the_real_one(readme: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A user who searches the README for the line on the screen finds it."""
    printed = quoted_by(name, caplog)
    assert len(printed) == 1
    assert anonymous(printed[0]) in {anonymous(line) for line in error_lines(readme)}


def test_quoted_wait_is_the_real_one(
    readme: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for the first wait, however many windows a sync takes."""
    caplog.set_level(logging.INFO)
    world = World(seed=7)
    test = world.add_test(product_type="SURVEY")
    for _ in range(22):
        world.add_session(test)
    with SimulatedTime().install(monkeypatch).serve(world, QuotaRule()) as box:
        assert sync_here(box.config(test_ids=[test.test_id]), select=["session_details"]).exit == 0
    [line] = [message for message in caplog.messages if "no calls left in this window" in message]
    assert f"INFO | tap-usertesting | {line}\n" in readme


def test_no_error_is_quoted_that_is_not_tested(readme: str) -> None:
    """One row per case of the test above."""
    assert len(error_lines(readme)) == len(WRONG_SETTINGS) + len(BROKEN)


@pytest.mark.parametrize(
    ("stream", "maps"),
    [
        pytest.param("transcripts", {"text": "text[:100] if text else None"}, id="a column cut short"),
        pytest.param("sessions", {"__filter__": "deleted_at is not None or status == 'COMPLETE'"}, id="a filter"),
    ],
)
def test_recommended_stream_map_lets_a_tombstone_pass(readme: str, stream: str, maps: dict[str, str]) -> None:
    """The maps that the README recommends keep rows and removals."""
    assert all(f'{key}: "{expression}"' in readme for key, expression in maps.items())
    world = World(seed=7)
    test = world.add_test(product_type="THINK_OUT_LOUD")
    session = world.add_session(test)
    world.add_session(test)
    with Sandbox(world, quota=None) as box:
        config = box.config(stream_maps={stream: maps})
        first = sync_here(config, select=[stream])
        world.reject(session)
        second = sync_here(config, select=[stream], state=first.state)
    assert (first.exit, second.exit) == (0, 0)
    assert len(first.records(stream)) == 2
    assert [record["deleted_at"] is not None for record in second.records(stream)] == [True]


def test_links_inside_the_page_lead_somewhere(readme: str) -> None:
    """A link to a heading has that heading; a link to a file of this repository has that file."""
    titles = re.findall(r"^#+ (.*)$", readme, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", readme)) <= anchors
    files = re.findall(r"/tap-usertesting/(?:blob|tree)/main/([^)]+)\)", readme)
    assert [name for name in files if not (ROOT / name).exists()] == []


if __name__ == "__main__":
    README.write_text(with_generated(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
