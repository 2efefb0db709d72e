"""A test that may have no row at all: samples of its history show that, and then one session stands for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_usertesting.ledger.agenda_items import Item, Parts
from tap_usertesting.ledger.change_log import FEED
from tap_usertesting.ledger.change_types import UPDATED

if TYPE_CHECKING:
    from tap_usertesting.ledger.reading import Reading


def sample(reading: Reading, parts: Parts) -> None:
    """Put a few sessions, spread over a history, before it: they show whether it has any row.

    If the newest session of the history is old enough, it is the first of them and stays at its own place.
    """
    ledger, most = reading.ledger, reading.policy.sleeps_after
    if most is None or ledger.found or ledger.asleep or ledger.floor is not None:
        return
    history = parts.older if reading.log.source == FEED else parts.down
    asked = [item for item in history if item.act == "fetch" and item.session_id not in ledger.misses]
    ripe = [item for item in asked if item.time <= reading.ripe_until]
    room = most - len(ledger.misses)
    if room < 1 or len(ripe) <= room:
        return
    spread = sorted({n * (len(ripe) - 1) // max(1, room - 1) for n in range(room)})
    samples = [ripe[n]._replace(line="probe", cursor=None, top=None, is_sample=True) for n in spread]
    samples[-1] = samples[-1]._replace(is_last_sample=True)
    first = history.index(ripe[0])
    if ripe[0] is asked[0] and not samples[0].is_last_sample:
        history[first] = ripe[0]._replace(is_sample=True)
        history[first + 1 : first + 1] = samples[1:]
    else:
        history[:0] = samples


def asleep(reading: Reading, parts: Parts, waiting: list[Item]) -> tuple[Parts, list[Item]]:
    """Return the parts of a test that counts as one without rows, and what waits: one ripe session stands for all.

    The feed still announces what has a row, so by feed no session has to stand for the others.
    """
    ledger = reading.ledger
    if reading.log.source == FEED:
        return parts._replace(older=[]), waiting
    down = [] if ledger.open else [_passed(item) for item in parts.down]
    passing = Parts([], [_passed(item) for item in parts.news], down, [])
    ripe = [one for one in reading.by_time if one.time <= reading.ripe_until and not reading.is_left_out(one.time)]
    if not ripe or ripe[-1].session_id in {*ledger.waiting, *ledger.misses}:
        return passing, waiting
    newest = ripe[-1]
    return passing, [*waiting, Item(newest.session_id, "fetch", "probe", UPDATED, newest.time, newest.time)]


def _passed(item: Item) -> Item:
    return item._replace(act="pass")
