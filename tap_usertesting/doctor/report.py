"""The report of the doctor: verdicts, evidence in numbers, shapes, names of headers, and no value."""

from __future__ import annotations

import json
import platform
import textwrap
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tap_usertesting import __version__
from tap_usertesting.doctor.assumption import HOLDS, REFUTED, UNKNOWN
from tap_usertesting.doctor.assumptions import ASSUMPTIONS
from tap_usertesting.doctor.witness import FEED, LEGACY, TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.doctor.assumption import Verdict
    from tap_usertesting.doctor.probes import Examination
    from tap_usertesting.doctor.witness import Endpoint

FORM = "tap-usertesting doctor 1"  # of the JSON, for its readers
SHARED, BY_VERSION, BY_ENDPOINT = "shared", "version", "endpoint"
COLUMNS = 80  # of the table
VERDICT = 14  # columns
GAP = "  "
KEPT = "\xa0"  # a blank at which no line ends


class Report:
    """What was found, as JSON to paste into an issue and as a table for a person."""

    def __init__(self, examination: Examination, *, date: str, settings: Sequence[str]) -> None:
        """`settings`: the names of those that are set."""
        self._date = date
        self._settings = sorted(settings)
        self._witness = examination.witness
        self._numbers = {name: {key: n for key, n in found.items() if n} for name, found in examination.numbers.items()}
        self.verdicts: dict[str, Verdict] = {one.name: one.judge(self._evidence(one.name)) for one in ASSUMPTIONS}

    def _evidence(self, name: str) -> dict[str, int]:
        return self._numbers.get(name, {})

    def as_json(self) -> str:
        """Return the report as JSON."""
        found = {
            "report": FORM,
            "tap": __version__,
            "python": platform.python_version(),
            "singer_sdk": version("singer-sdk"),
            "date": self._date,
            "settings": self._settings,
            "calls": self._calls(),
            "quota": self._quota(),
            "assumptions": {one.name: self._entry(one.name, one.advice) for one in ASSUMPTIONS},
            "endpoints": {label: _endpoint(one) for label, one in sorted(self._witness.endpoints.items())},
        }
        return json.dumps(found, indent=1)

    def _entry(self, name: str, advice: str) -> dict[str, Any]:
        verdict = self.verdicts[name]
        return {
            "verdict": verdict,
            "evidence": self._evidence(name),
            **({"what to do": advice} if verdict == REFUTED else {}),
        }

    def _calls(self) -> dict[str, int]:
        witness = self._witness
        return {
            "Results API": len(witness.results),
            "legacy API": len(witness.of(*LEGACY)),
            "change feed": len(witness.of(FEED)),
            "token endpoint": len(witness.of(TOKEN)),
        }

    def _quota(self) -> dict[str, Any]:
        size, shared = self._evidence("quota_is_10_a_minute"), self._evidence("quota_is_one_for_all")
        scope = None
        if self.verdicts["quota_is_one_for_all"] == REFUTED:
            scope = BY_ENDPOINT if shared.get("pairs_apart_in_v2") else BY_VERSION
        elif self.verdicts["quota_is_one_for_all"] == HOLDS:
            scope = SHARED
        return {
            "limit": size.get("limit"),
            "window_s": size.get("longest_reset_s"),
            "scope": scope,
            "headers": self._witness.names_of_limits(),
        }

    def as_table(self) -> str:
        """Return the verdicts, what is refuted first, and what to do about that, in at most 80 columns."""
        width = max(len(one.name) for one in ASSUMPTIONS)
        order = {REFUTED: 0, UNKNOWN: 1, HOLDS: 2}
        lines = []
        for one in sorted(ASSUMPTIONS, key=lambda one: order[self.verdicts[one.name]]):
            verdict = self.verdicts[one.name]
            lines += _wrapped(f"{verdict:<{VERDICT}}{GAP}{one.name:<{width}}{GAP}", self._counted(one.name))
            if verdict == REFUTED:
                lines += _wrapped(f"{'':<{VERDICT}}{GAP}", f"assumed: {one.sentence}")
                lines += _wrapped(f"{'':<{VERDICT}}{GAP}", f"to do: {one.advice}")
        found = list(self.verdicts.values())
        counts = f"totals: {', '.join(f'{verdict} {found.count(verdict)}' for verdict in order)}"
        calls = ", ".join(f"{number} of the {where}" for where, number in self._calls().items())
        return "\n".join([*lines, "", *_wrapped("", counts), *_wrapped("", f"calls answered: {calls}")])

    def _counted(self, name: str) -> str:
        """Return the evidence in words; no line ends between a name and its number."""
        return ", ".join(
            f"{what}: {n}".replace("_", " ").replace(" ", KEPT) for what, n in self._evidence(name).items()
        )


def _wrapped(begin: str, text: str) -> list[str]:
    """Return a text in lines, with `begin` before the first and as many blanks before the others."""
    lines = textwrap.wrap(text, COLUMNS, initial_indent=begin, subsequent_indent=" " * len(begin))
    return [line.replace(KEPT, " ") for line in lines] or [begin.rstrip()]


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    shapes = {f"{kind} JSON": shape.as_json() for kind, shape in sorted(endpoint.shapes.items())}
    return {
        "calls": endpoint.statuses.total(),
        "statuses": {str(status): number for status, number in sorted(endpoint.statuses.items())},
        "headers": sorted(endpoint.headers),
        **shapes,
        **({"no JSON": dict(endpoint.others)} if endpoint.others else {}),
    }
