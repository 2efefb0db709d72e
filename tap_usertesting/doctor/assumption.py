"""What an assumption is, and how it is judged: by numbers of cases for and against it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["holds", "refuted", "could not tell"]
HOLDS: Verdict = "holds"
REFUTED: Verdict = "refuted"
UNKNOWN: Verdict = "could not tell"

Numbers: TypeAlias = Mapping[str, int]  # by what they count; what is missing was not counted, which means none
Judge: TypeAlias = Callable[[Numbers], Verdict]


@dataclass(frozen=True)
class Assumption:
    """One assumption of the tap about the servers.

    `sentence`: what is assumed. `otherwise`: what the tap does where it is wrong. `advice`: what a user sets or does
    then. `judge`: the verdict over the numbers of the evidence.
    """

    name: str
    sentence: str
    otherwise: str
    advice: str
    judge: Judge


def cases(*, good: str | tuple[str, ...], bad: str | tuple[str, ...]) -> Judge:
    """Return a judge: one bad case refutes, and else one good case is enough. Both name numbers of the evidence."""
    for_it = (good,) if isinstance(good, str) else good
    against = (bad,) if isinstance(bad, str) else bad

    def judge(numbers: Numbers) -> Verdict:
        if any(numbers.get(name, 0) for name in against):
            return REFUTED
        return HOLDS if any(numbers.get(name, 0) for name in for_it) else UNKNOWN

    return judge
