"""A test that may have no row at all: a few sessions show it, and then one session stands for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.ledger.items import Item, Parts
from tap_usertesting.ledger.log import FEED, UPDATED

if TYPE_CHECKING:
    from tap_usertesting.ledger.reading import Reading


def sound(reading: Reading, parts: Parts) -> None:
    """Put sessions spread over a history before it, to see whether there is any row in it.

    Where the history begins with a session that is old enough, that one is the first of them, at its own place.
    """
    ledger, most = reading.ledger, reading.policy.sleeps_after
    if most is None or ledger.found or ledger.asleep or ledger.floor is not None:
        return
    history = parts.older if reading.log.source == FEED else parts.down
    asked = [item for item in history if item.act == "fetch" and item.session_id not in ledger.in_vain]
    ripe = [item for item in asked if item.time <= reading.ripe_until]
    left = most - len(ledger.in_vain)
    if left < 1 or len(ripe) <= left:
        return
    places = sorted({n * (len(ripe) - 1) // max(1, left - 1) for n in range(left)})
    probes = [ripe[n]._replace(line="probe", cursor=None, top=None, sounds=True) for n in places]
    probes[-1] = probes[-1]._replace(last=True)
    first = history.index(ripe[0])
    if ripe[0] is asked[0] and not probes[0].last:
        history[first] = ripe[0]._replace(sounds=True)
        history[first + 1 : first + 1] = probes[1:]
    else:
        history[:0] = probes


def asleep(reading: Reading, parts: Parts, waiting: list[Item]) -> tuple[Parts, list[Item]]:
    """Return the agenda of a test that seems to have no row, and what waits: the newest ripe session stands for all.

    The feed announces what has a row all the same, so by feed nothing has to stand for the others.
    """
    ledger = reading.ledger
    if reading.log.source == FEED:
        return parts._replace(older=[]), waiting
    down = [] if ledger.open else [_passed(item) for item in parts.down]
    passing = Parts([], [_passed(item) for item in parts.news], down, [])
    ripe = [one for one in reading.by_time if one.time <= reading.ripe_until and not reading.is_left_out(one.time)]
    if not ripe or ripe[-1].session_id in {*ledger.waiting, *ledger.in_vain}:
        return passing, waiting
    newest = ripe[-1]
    return passing, [*waiting, Item(newest.session_id, "fetch", "probe", UPDATED, newest.time, newest.time)]


def _passed(item: Item) -> Item:
    return item._replace(act="pass")
