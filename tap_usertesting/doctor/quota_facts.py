"""What the answers tell of the quota: its size, its window, and whether endpoints share it. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_usertesting.doctor.witness import OK, TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_usertesting.doctor.witness import Seen

ROUNDED = 2.0  # seconds by which resets of one window differ at most
OWN_VERSION = "details_v3"  # the only endpoint that is not of v2


def quota_numbers(results: Sequence[Seen]) -> dict[str, Counter[str]]:
    """Return the evidence for the assumptions about the quota. `results`: answers of the Results API, in order."""
    told, size, shared = Counter[str](), Counter[str](), Counter[str]()
    size["refusals"] = sum(seen.status == TOO_MANY for seen in results)
    telling = [seen for seen in results if seen.status == OK and _tells(seen)]
    told["answers_that_tell"] = len(telling)
    told["answers_that_do_not"] = sum(seen.status == OK for seen in results) - len(telling)
    if telling:
        size["limit"] = max(seen.rates.limit or 0 for seen in telling)
        size["longest_reset_s"] = round(max(seen.rates.reset or 0 for seen in telling))
        size["windows"] = _windows(telling)
    pairs = [pair for pair in pairwise(seen for seen in results if _tells(seen)) if _in_one_window(*pair)]
    stands_still = [pair for pair in pairs if pair[0].label == pair[1].label and not _falls(*pair)]
    if stands_still:  # then the server does not count, and what it says of other endpoints tells nothing
        size["counts_that_stand_still"] = len(stands_still)
        pairs = []
    for this, following in pairs:
        if this.label != following.label:
            shared["pairs_together" if _falls(this, following) else "pairs_apart"] += 1
            apart_in_v2 = not _falls(this, following) and OWN_VERSION not in {this.label, following.label}
            shared["pairs_apart_in_v2"] += apart_in_v2
    return {"quota_is_told": told, "quota_is_10_a_minute": size, "quota_is_one_for_all": shared}


def _tells(seen: Seen) -> bool:
    return None not in {seen.rates.limit, seen.rates.remaining, seen.rates.reset}


def _windows(telling: Sequence[Seen]) -> int:
    """Return how many windows the answers name that ended one after another."""
    ends = sorted(seen.at + (seen.rates.reset or 0) for seen in telling)
    return 1 + sum(following - this > ROUNDED for this, following in pairwise(ends))


def _in_one_window(this: Seen, following: Seen) -> bool:
    """Tell whether the first call's window was still open at the second one."""
    return following.at + ROUNDED / 2 < this.at + (this.rates.reset or 0)


def _falls(this: Seen, following: Seen) -> bool:
    """Tell whether the second call leaves fewer calls than the first, as it does in one window for both."""
    return (following.rates.remaining or 0) < (this.rates.remaining or 0)
