"""The query of docs/completeness.md, which returns what `sync_status` and the tables do not agree on."""

from __future__ import annotations

import re

from tests.support.environments import ROOT

PAGE = ROOT / "docs" / "completeness.md"


def query() -> str:
    """Return the query as the page has it."""
    found = re.search(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, "the page has no query"
    return found[1]


def disagreements(schema: str) -> str:
    """Return the query over the tables of a schema."""
    return re.sub(r"\b(from|join) (sync_status|sessions|session_details|transcripts)\b", rf"\1 {schema}.\2", query())
