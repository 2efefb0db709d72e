"""Options of the change feed: incomplete answers, errors of a chosen form, cursors of an unusual form."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_usertesting.sandbox.requests_and_replies import Json

CursorForm = Literal["hex", "number", "long", "foreign"]


@dataclass
class Refusal:
    """An error of the feed, for ``times`` matching fields or requests (None: all).

    test_uuid: the field of this test is null, and the status 200, with an error that names its path. Without it the
        whole request fails with ``status`` and has no ``data``.
    code: the ``extensions.code`` of the error.
    fields: only for this field, ``testResultChanges`` or ``testResultChangesCount``.
    from_cursor: only with a cursor (True), or only without one (False).
    """

    message: str
    code: str | int | None = None
    test_uuid: str | None = None
    status: int = 400
    fields: str | None = None
    from_cursor: bool | None = None
    times: int | None = None

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
    """How the feed answers. Tests set it, also over ``POST /_sandbox/feed``.

    cap: the most events of a test in an answer; the count still counts all of them.
    cap_keeps: which events a cap keeps.
    cap_shared: the cap is for all tests of a request together.
    count_events: the count is of events, not of results.
    most_aliases: a request with more aliases is refused with the message ``too_many``.
    plain_errors: ``errors`` contains messages instead of objects.
    numbers: times, and cursors of digits, are JSON numbers.
    cursor_form: of new cursors: ``hex``, ``number`` (digits), ``long`` (1,500 characters), ``foreign`` (beyond ASCII).
    refusals: see ``Refusal``.
    """

    cap: int | None = None
    cap_keeps: Literal["newest", "oldest"] = "newest"
    cap_shared: bool = False
    count_events: bool = False
    most_aliases: int | None = None
    too_many: str = "Too many aliases"
    plain_errors: bool = False
    numbers: bool = False
    cursor_form: CursorForm = "hex"
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, message: str, **more: Any) -> None:  # noqa: ANN401 - the fields of a refusal
        """Order an error; see ``Refusal``."""
        self.refusals.append(Refusal(message, **more))

    def set(self, **given: Any) -> None:  # noqa: ANN401 - the fields of this class
        """Set the named fields; ``refusals`` as JSON objects. Raises TypeError for an unknown name."""
        for name, value in given.items():
            if name not in {one.name for one in fields(self)}:
                raise TypeError(f"the feed has no {name}")
            setattr(self, name, [Refusal(**one) for one in value] if name == "refusals" else value)

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
