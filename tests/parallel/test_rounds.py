"""What streams that run together share of the feed and of the lists, while one looks for news or reads on."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from tap_usertesting.api.feed import Ask, ChangeFeed, Count, FeedEvent, Received
from tap_usertesting.api.turns import Turns
from tap_usertesting.changes.change_reader import ChangeReader
from tap_usertesting.changes.feed_reader import FeedReader
from tap_usertesting.changes.list_reader import ListReader
from tap_usertesting.changes.session_list import whole
from tap_usertesting.ledger.change_log import LISTING
from tap_usertesting.ledger.ledger import Ledger, Mark
from tap_usertesting.ledger.stream_policy import Policy
from tests.support.pages import Pages, cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ASK = Ask("ut_a", None)
NOW = "2026-01-10T00:00:00.000000Z"
EVENT = FeedEvent("c1", "ut_response_1", 1, "UPDATED", "2026-01-09T00:00:00Z")
WHILE = 0.5  # seconds that an answer takes


def change_reader(
    *, turns: Turns, results: Pages | None = None, feed: ChangeFeed | None = None, asks: Sequence[Sequence[Ask]] = ()
) -> ChangeReader:
    """Return a reader of these lists and this feed, with no stream but the one that asks for `asks`."""
    listener = cast("Any", SimpleNamespace(mark_reachable=lambda _: None, fail=lambda _: None))
    lists = ListReader(client=cast("Any", results), now=NOW, list_needs=lambda _: (), listener=listener, turns=turns)
    feed_logs = FeedReader(client=feed, asks_by_test=lambda: asks, turns=turns)
    return ChangeReader(lists=lists, feed_logs=feed_logs, listener=listener, turns=turns, lookback_hours=24)


def test_what_a_stream_has_asked_for_is_not_forgotten_before_it_has_it() -> None:
    """The stream gets its log, and the look waits until then."""
    turns, on_the_wire, looked = Turns(), threading.Event(), threading.Event()

    class Feed:
        """Answers the changes while another stream runs."""

        def counts(self, asks: Iterable[Ask]) -> dict[Ask, Count]:
            return {ask: Count(1, "c1") for ask in asks}

        def changes(self, asks: Iterable[Ask]) -> dict[Ask, Received]:
            on_the_wire.set()
            with turns.released():
                looked.wait(WHILE)
            return {ask: Received([EVENT], 1) for ask in asks}

    reader = change_reader(feed=cast("ChangeFeed", Feed()), asks=[[ASK]], turns=turns)
    got: list[FeedEvent] = []

    def read() -> None:
        got.extend(reader.feed_logs.read(ASK).events)

    def look() -> None:
        with turns.released():
            on_the_wire.wait()
        reader.look_again(now=NOW, due=())
        looked.set()

    turns.run({"reads": read, "looks": look}, watch=lambda: None)
    assert got == [EVENT]
    assert looked.is_set()


def test_what_another_stream_reads_of_a_list_is_not_in_the_log_of_the_first() -> None:
    """Else the first would close with sessions as handled that were never on its agenda."""
    pages = Pages(1200)
    reader = change_reader(results=pages, turns=Turns())
    newest = Mark(cursor(1198))
    ledger = Ledger(source=LISTING, bookmark=newest, recent_from=newest.cursor, total_count=1199)
    log = reader.read("test", ledger, Policy(lookback_hours=1))
    assert log.sessions is not None
    assert (len(log.sessions.by_id), log.sessions.complete) == (500, False)
    assert len(reader.lists.read("test", whole).by_id) == 1200
    assert pages.offsets == [0, 500, 1000]
    assert (len(log.sessions.by_id), log.sessions.complete) == (500, False)
