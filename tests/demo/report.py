"""What the demo prints: plain lines of at most 90 columns."""
# ruff: noqa: T201 - printing is its work

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.sandbox import QuotaRule
    from tests.demo.pipeline import Sync

WIDTH = 90
LIVE_CALLS_A_MINUTE = 10
CALLS = {
    "token": "access token",
    "v1": "workspaces and tests",
    "feed": "change feed",
    "list": "session lists",
    "details_v3": "session details",
    "details_v2": "session details, v2",
    "transcript": "transcripts",
    "qx_scores": "QXscores",
}


def heading(text: str) -> None:
    """Print the title of a part."""
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def line(text: str) -> None:
    """Print one line, cut to the width."""
    print(_cut(f"  {text}", WIDTH), flush=True)


def tables(counts: dict[str, tuple[int, int]], *, what: str) -> None:
    """Print how many rows there are in each table that has any."""
    line(f"{what}:")
    for name, (live, deleted) in counts.items():
        if live or deleted:
            line(f"  {name:<16}{live:>6}{f'  and {deleted} marked as deleted' if deleted else ''}")
    if not any(live or deleted for live, deleted in counts.values()):
        line("  none")


def qx_scores(rows: Sequence[dict[str, Any]]) -> None:
    """Print the QXscores of the tests that have them."""
    line(f"{'QXscores':<48}{'QXscore':>10}{'behavioral':>13}{'attitudinal':>13}")
    columns = ("qx_score", "components_behavioral", "components_attitudinal")
    for title, groups in itertools.groupby(rows, key=lambda row: row["title"]):
        line(f"  {title}")
        for row in groups:
            numbers = ["-" if row[column] is None else f"{row[column]:.0f}" for column in columns]
            line(f"    {_cut(row['label'] or '', 44):<44}{numbers[0]:>10}{numbers[1]:>13}{numbers[2]:>13}")


def transcript(row: dict[str, Any], *, cues: int = 4) -> None:
    """Print the first cues of a transcript."""
    line(f"A transcript, of a session of '{row['title']}':")
    for cue in row["cues"][:cues]:
        minutes, seconds = divmod(cue["start_ms"] // 1000, 60)
        speaker = f"{cue['speaker']}: " if cue["speaker"] else ""
        line(f"  {minutes:02d}:{seconds:02d}  {speaker}{' '.join(cue['text'].split())}")


def query(sql: str) -> None:
    """Print SQL as it can be pasted."""
    for part in sql.splitlines():
        print(f"  {part}", flush=True)
    print(flush=True)


def rows(found: Sequence[dict[str, Any]]) -> None:
    """Print rows as a table, the last column cut to what is left of the width."""
    cells = [[("" if value is None else str(value)) for value in row.values()] for row in found]
    names = list(found[0])
    widths = [max(len(text) for text in column) for column in zip(names, *cells, strict=True)]
    for texts in (names, ["-" * width for width in widths], *cells):
        line("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip())


def cost(sync: Sync, rule: QuotaRule) -> None:
    """Print the calls by endpoint, what the quota makes of them, and the time."""
    paid = sum(call.kind in RESULTS_KINDS for call in sync.calls)
    refused = sum(call.status == 429 for call in sync.calls)
    kinds = Counter(CALLS.get(call.kind, call.kind) for call in sync.calls)
    line(f"Calls: {len(sync.calls)}, of them {paid} under the quota of the Results API:")
    for name in [name for name in dict.fromkeys(CALLS.values()) if kinds[name]]:
        line(f"  {name:<22}{kinds[name]:>6}")
    windows = max(math.ceil(paid / rule.limit) - 1, 0)
    line(f"Time: {sync.seconds:.1f} s, of which the quota alone takes {windows * rule.window:.1f} s.")
    line(f"Answers 429 (too many requests): {refused}.")
    if windows:
        live = math.ceil(paid / LIVE_CALLS_A_MINUTE) - 1
        line(f"The live API allows {LIVE_CALLS_A_MINUTE} calls a minute: the same calls take {live} minutes there.")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
