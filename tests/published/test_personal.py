"""What is personal is said once: by the declarations, in the words of the schema files, on one page."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path

import pytest

from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.values.privacy import UNKNOWN
from tests.published.personal import HASHED, LEFT_OUT, kept_in_part, node_at, nodes, personal_columns, steps, table

ROOT = Path(__file__).parents[2]
SAYS = re.compile("personal data", re.IGNORECASE)
SCHEMAS = {stream.name: stream.schemas.get_schema(stream.name) for stream in STREAMS}
PAGE = "docs/personal-data.md"


def test_every_column_that_the_code_excludes_says_that_it_is_personal() -> None:
    """Whoever reads the schema, or a column's comment in a warehouse, is told."""
    assert len(personal_columns()) > len(STREAMS)
    assert [column[:2] for column in personal_columns() if not SAYS.search(column.holds)] == []


@pytest.mark.parametrize("stream", SCHEMAS)
def test_whatever_a_schema_calls_personal_is_excluded(stream: str) -> None:
    """A description that says so is that of a declared path, of an object around one, or of a field inside one."""
    declared = [steps(column.path) for column in personal_columns() if column.stream == stream]
    named = [path for path, node in nodes(SCHEMAS[stream]) if SAYS.search(node["description"])]
    assert [path for path in named if not any(_one_holds_the_other(steps(path), each) for each in declared)] == []


def _one_holds_the_other(first: list[str], second: list[str]) -> bool:
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def test_each_is_left_out_or_hashed() -> None:
    """Nothing that is declared is kept in either mode; what no document names is never hashed."""
    for column in personal_columns():
        assert column.omit == LEFT_OUT, column
        assert column.hash == (LEFT_OUT if column.path == UNKNOWN else HASHED), column


def test_what_is_kept_in_part_is_a_column() -> None:
    """The page names the object and the fields that stay."""
    assert kept_in_part()
    for kept in kept_in_part():
        description = node_at(SCHEMAS[kept.stream], kept.path)["description"]
        assert [name for name in kept.fields if name not in description] == []


def test_the_table_has_every_column_once() -> None:
    """Columns that several streams have alike stand in one row with all of their streams."""
    header, rule, *rows = table().splitlines()
    assert header.count("|") == rule.count("|") == 6
    listed = [
        (stream, path)
        for row in rows
        for streams, path in [row.split("|")[1:3]]
        for stream in re.findall(r"`(\w+)`", streams)
        for path in [path.strip(" `")]
    ]
    assert sorted(listed) == sorted(column[:2] for column in personal_columns())


def test_the_security_page_has_no_list_of_its_own() -> None:
    """It leads to the page that is generated, so that the two cannot differ."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert f"](https://github.com/tap-usertesting/tap-usertesting/blob/main/{PAGE})" in text
    tables = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    assert [column[:2] for column in personal_columns() if f"`{column.path}`" in tables] == []


def test_the_selection_on_the_page_holds_no_participant_and_no_transcript() -> None:
    """Also not as rows: what one stream holds nested, another has as rows of its own, and a pattern may mean both."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    (found,) = re.findall(r"^```yaml\nselect: (\[.*\])\n```$", text, flags=re.MULTILINE)
    patterns = json.loads(found)
    taken = [pattern for pattern in patterns if not pattern.startswith("!")]
    left = [pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    columns = {f"{name}.{column}" for name, schema in SCHEMAS.items() for column in schema["properties"]}
    assert [one for one in (*taken, *left) if not fnmatch.filter(columns, one)] == []
    selected = {
        column
        for one in taken
        for column in fnmatch.filter(columns, one)
        if not any(fnmatch.fnmatch(column, out) for out in left)
    }
    streams = {"participant_demographics", "transcripts", "transcript_cues"}
    assert not {column for column in selected if column.partition(".")[0] in streams}
    assert "session_details.session_participant" not in selected
    assert {column.partition(".")[0] for column in selected} >= {"sessions", "session_details"}
