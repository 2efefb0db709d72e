"""Options of the change feed: incomplete answers, errors of a chosen form, cursors of an unusual form."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tap_usertesting.sandbox.fields import Sample, at_least, between, examples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_usertesting.sandbox.requests_and_replies import Json

CursorForm = Literal["hex", "number", "long", "foreign"]


@dataclass
class Refusal:
    """An error of the feed.

    message: the error message.
    code: the error's extensions.code.
    test_uuid: the error concerns only this test (ut_ and its id): its field is null, an error names the path, and the
        status is 200. Without a test, the whole request fails with ``status`` and returns no data.
    status: the status if the whole request fails.
    fields: the error concerns only requests for this schema field (None: both fields).
    from_cursor: the error concerns only requests with a cursor (true) or without one (false; None: both).
    times: how many matching fields or requests fail (None: all).
    """

    message: str = field(metadata=examples("No access"))
    code: str | int | None = field(default=None, metadata=examples("NOT_FOUND", 17))
    test_uuid: str | None = field(default=None, metadata=examples(Sample.TEST_UUID))
    status: Annotated[int, between(200, 599)] = field(default=400, metadata=examples(403))
    fields: Literal["testResultChanges", "testResultChangesCount"] | None = None
    from_cursor: bool | None = None
    times: Annotated[int, at_least(1)] | None = field(default=None, metadata=examples(1))

    def applies_to(self, name: str, arguments: Mapping[str, str | None]) -> bool:
        """Tell whether the refusal applies to a root field, and count that against ``times``."""
        given = arguments.get("sinceCursor") is not None
        if (
            self.times == 0
            or (self.test_uuid is not None and self.test_uuid != arguments.get("testUUID"))
            or (self.fields is not None and self.fields != name)
            or (self.from_cursor is not None and self.from_cursor != given)
        ):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def as_error(self) -> Json:
        """Return the error that refuses a whole request."""
        return {"message": self.message} | ({} if self.code is None else {"extensions": {"code": self.code}})


@dataclass
class FeedOptions:
    """How the feed responds. Tests set it, also with ``POST /_sandbox/feed``.

    cap: the maximum number of events per test in a response (None: all). The count still includes all events.
    cap_keeps: which events a cap keeps.
    cap_shared: the cap applies to all tests of a request together.
    count_events: the count includes events instead of results.
    most_aliases: the feed refuses a request with more aliases (None: it accepts any number).
    too_many: the message of that refusal.
    plain_errors: errors are plain messages instead of objects.
    numbers: times and decimal cursors are JSON numbers.
    cursor_form: the format of new cursors: hex digits, decimal digits, 1,500 characters, or non-ASCII characters.
    refusals: errors of the feed. A new list replaces the old one.
    """

    cap: Annotated[int, at_least(0)] | None = field(default=None, metadata=examples(1))
    cap_keeps: Literal["newest", "oldest"] = field(default="newest", metadata=examples("oldest", cap=1))
    cap_shared: bool = field(default=False, metadata=examples(cap=2))
    count_events: bool = False
    most_aliases: Annotated[int, at_least(0)] | None = field(default=None, metadata=examples(1))
    too_many: str = field(default="Too many aliases", metadata=examples("Token limit exceeded", most_aliases=1))
    plain_errors: bool = field(default=False, metadata=examples(refusals=[{"message": "No access"}]))
    numbers: bool = False
    cursor_form: CursorForm = "hex"
    refusals: list[Refusal] = field(default_factory=list, metadata=examples([{"message": "No access"}]))

    def refuse(self, message: str, **more: Any) -> None:  # noqa: ANN401 - the fields of a refusal
        """Order an error; see ``Refusal``."""
        self.refusals.append(Refusal(message, **more))

    def set(self, **given: Any) -> None:  # noqa: ANN401 - the fields of this class
        """Set the named fields. Raises TypeError for an unknown name."""
        for name, value in given.items():
            if name not in {one.name for one in fields(self)}:
                raise TypeError(f"the feed has no {name}")
            setattr(self, name, value)

    @property
    def is_default(self) -> bool:
        """Whether nothing is set that changes answers."""
        return self == FeedOptions(cursor_form=self.cursor_form)

    def refusal_for(self, roots: Sequence[Mapping[str, str | None]]) -> Refusal | None:
        """Return the refusal of a whole request with these root fields, if there is one."""
        if self.most_aliases is not None and len(roots) > self.most_aliases:
            return Refusal(self.too_many)
        whole = (refusal for refusal in self.refusals if refusal.test_uuid is None)
        return next((one for one in whole if any(one.applies_to(root["field"] or "", root) for root in roots)), None)

    def capped(self, edges: list[Json], room: list[int], *, newest_first: bool) -> list[Json]:
        """Return the edges of a test that are sent. ``room``: one number, the edges that the request may still have."""
        if self.cap is None:
            return edges
        most = min(self.cap, len(edges), room[0] if self.cap_shared else self.cap)
        room[0] -= most
        from_start = newest_first == (self.cap_keeps == "newest")
        return edges[:most] if from_start else edges[len(edges) - most :]

    def format_cursor(self, cursor: str, number: int) -> str:
        """Return a new cursor in the chosen form."""
        forms = {
            "hex": cursor,
            "number": str(9_000_000_000 + number),
            "long": (cursor * 50)[:1500],
            "foreign": f"позиция №{number} / 位置=“{cursor[-6:]}”\n",
        }
        return forms[self.cursor_form]

    def send_numbers(self, data: Json) -> None:
        """With the option ``numbers``, turn times and cursors of digits into numbers, in place."""
        for answer in data.values():
            if not self.numbers or not isinstance(answer, dict):
                continue
            latest = answer.get("latestCursor")
            if latest is not None and latest.isdecimal():
                answer["latestCursor"] = int(latest)
            for edge in answer.get("edges", ()):
                node = edge["node"]
                if node.get("cursor", "").isdecimal():
                    node["cursor"] = int(node["cursor"])
                if "changedAt" in node:
                    node["changedAt"] = int(datetime.fromisoformat(node["changedAt"]).timestamp())

    def errors(self, errors: Sequence[Json]) -> list[Any]:
        """Return errors in the chosen form."""
        return [error["message"] if self.plain_errors else error for error in errors]
