"""Errors that a user meets, each caused for real: the line that the tap writes, and what to do about it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from tap_usertesting.sandbox import Sandbox, World
from tests.support.harness import sync_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.model import Session

REFUSED, FAILED = 78, 1
UNKNOWN_TEST = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


@dataclass(frozen=True)
class Error:
    """Settings that are wrong, or something that goes wrong in the sandbox (`spoil`).

    `advice`: what to do. `exit`: how the run ends.
    """

    name: str
    advice: str
    settings: dict[str, Any] = field(default_factory=dict)
    exit: int = REFUSED
    spoil: Callable[[Sandbox, Session], None] | None = None

    def line(self) -> str:
        """Cause it; return the one line of the log that is an error."""
        world = World(seed=7)
        test = world.add_test(product_type="THINK_OUT_LOUD")
        session = world.add_session(test)
        with Sandbox(world, quota=None) as box:
            if self.spoil is not None:
                self.spoil(box, session)
            settings = {"test_ids": [test.test_id], **self.settings}
            config = {key: value for key, value in box.config(**settings).items() if value is not None}
            with _Kept() as kept:
                ended = sync_here(config, select=["sessions", "session_details"]).exit
        assert ended == self.exit, (self.name, ended)
        [line] = kept.lines
        return line


class _Kept(logging.Handler):
    """The errors that are logged while it is open."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


def unknown_to_the_feed(box: Sandbox, session: Session) -> None:
    """The feed forgets the test."""
    box.world.forget_in_feed(session.test)


def broken_session(box: Sandbox, session: Session) -> None:
    """The details of a session fail, whenever they are asked for."""
    box.fail("details_v3", times=None, status=500, match=session.session_id)


def another_session(box: Sandbox, session: Session) -> None:
    """The server answers with the details of another session."""
    box.world.add_session(session.test)
    box.fail("details_v3", times=None, fault="other", match=session.session_id)


def a_list_that_keeps_one_back(box: Sandbox, session: Session) -> None:
    """The list names more sessions than it gives."""
    counted = {"pagination": {"totalCount": 2}}
    box.fail("list", times=None, status=200, body={"sessions": [session.summary()], "meta": counted})


def a_part_of_the_feed(box: Sandbox, session: Session) -> None:
    """The feed sends fewer events than it counts."""
    box.world.add_session(session.test)
    box.world.feed_options.cap = 1


# The usual ones first.
ERRORS = (
    Error(
        "no credentials",
        "Set both. If they are set, check that Meltano or your scheduler passes them to the tap",
        {"client_id": None, "client_secret": None},
    ),
    Error("half of them", "Set both", {"client_secret": None}),
    Error(
        "wrong secret",
        "Copy both again. If they are correct, ask UserTesting support",
        {"client_secret": "wrong"},
        FAILED,
    ),
    Error(
        "wrong token",
        "Get a new token, or set `client_id` and `client_secret`, which the tap renews itself",
        {"client_id": None, "client_secret": None, "access_token": "wrong", "feed_url": None},
        FAILED,
    ),
    Error(
        "unknown test",
        "The API returns the same error for a test that does not exist, that the credentials cannot see, or that is "
        "classic. The tap leaves out a discovered test with a warning and exit code 0 (1 if it leaves out every test)",
        {"test_ids": [UNKNOWN_TEST], "feed_url": None},
        FAILED,
    ),
    Error(
        "number as id",
        "Copy the UUID from the address of the test in the UserTesting app: `.../test/UUID/...`",
        {"test_ids": ["123456"]},
    ),
    Error("words as date", "Write a date, with or without a time", {"start_date": "last week"}),
    Error(
        "no word for privacy",
        "Set one of the two. The tap has not read anything",
        {"exclude_personal_data": "true"},
    ),
    Error(
        "feed elsewhere",
        "Set `feed_access_token` to the feed's own token",
        {"feed_url": "https://feed.example.com/graphql/"},
    ),
    Error(
        "wrong feed token",
        "Create a new token at [the vendor of the feed](credentials.md#change-feed)",
        {"feed_access_token": "wrong"},
        FAILED,
    ),
    Error(
        "feed without address",
        "Set the address of the feed, or leave `change_source` at `auto`",
        {"feed_url": None, "change_source": "feed"},
    ),
    Error(
        "unknown to the feed",
        "Set `change_source: auto`: the tap then reads such a test from its session list",
        {"change_source": "feed"},
        FAILED,
        unknown_to_the_feed,
    ),
    Error("plain http", "Use https. The tap accepts http only for this machine", {"api_url": "http://example.com"}),
    Error(
        "nobody there",
        "Check the address, and whether a proxy is needed. The tap obeys `HTTPS_PROXY`, `REQUESTS_CA_BUNDLE` and "
        "similar variables; an invalid one ends the run with exit code 78 and a line that names the variable",
        {"api_url": "http://127.0.0.1:9", "feed_url": None, "max_retries": 1},
        FAILED,
    ),
    Error(
        "broken session",
        "Nothing. If the error persists, report it to UserTesting. After three such sessions in a row, the sync leaves "
        "the rest of the test in this stream to the next sync",
        {"max_retries": 2},
        FAILED,
        broken_session,
    ),
    Error(
        "another session",
        "Nothing. The server returned the details of another session; a row that was loaded before stays",
        {"max_retries": 2},
        FAILED,
        another_session,
    ),
    Error(
        "a list that keeps one back",
        "Nothing. The tap wrote the sessions that it found",
        {"change_source": "listing"},
        FAILED,
        a_list_that_keeps_one_back,
    ),
    Error(
        "a part of the feed",
        "Nothing is lost: the bookmark stays where it is. If the error persists, ask the vendor of the feed, or set "
        "`change_source: listing`",
        exit=FAILED,
        spoil=a_part_of_the_feed,
    ),
)


def anonymous(line: str) -> str:
    """A line without what differs from run to run: ids and ports."""
    line = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", line)
    return re.sub(r"//[\w.]+(:\d+)?", "//HOST", line)


def row(line: str, advice: str) -> str:
    """A row of the table of errors."""
    return f"| `{line}` | {advice} |"


def table() -> str:
    """Every error with its line and what to do."""
    return "\n".join(["| line | what to do |", "|---|---|", *(row(error.line(), error.advice) for error in ERRORS)])
