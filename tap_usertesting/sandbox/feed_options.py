"""How the change feed is minded to answer: in parts, with errors of a chosen shape, with cursors of an odd form."""

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

    With ``test_uuid`` the field of that test is null, with an error and its path in a 200; without it the whole
    request fails: ``status``, and no ``data``. ``code`` goes to ``extensions.code``. ``fields``: only
    ``testResultChanges`` or ``testResultChangesCount``. ``from_cursor``: only where a cursor is given, or only where
    none is.
    """

    message: str
    code: str | int | None = None
    test_uuid: str | None = None
    status: int = 400
    fields: str | None = None
    from_cursor: bool | None = None
    times: int | None = None

    def applies_to(self, name: str, arguments: Mapping[str, str | None]) -> bool:
        """Count a root field against the order, and tell whether it is meant."""
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
        """Return the error of a whole request."""
        return {"message": self.message} | ({} if self.code is None else {"extensions": {"code": self.code}})


@dataclass
class FeedOptions:
    """What may be set, and over ``POST /_sandbox/feed`` too.

    ``cap``: an answer has at most so many events of a test, of the whole request with ``cap_shared``: the newest
    ones, or those that ``cap_keeps`` says; the count stays true. ``count_events``: it is of events, not of results.
    ``most_aliases``: a request with more is refused with ``too_many``. ``plain_errors``: ``errors`` holds messages
    alone. ``numbers``: cursors of digits and times come as JSON numbers. ``cursor_form``: of the cursors drawn from
    now on: ``hex``, ``number`` (digits), ``long`` (1,500 characters) or ``foreign`` (beyond ASCII). ``refusals``: see
    ``Refusal``.
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
        """Order an error."""
        self.refusals.append(Refusal(message, **more))

    def set(self, **given: Any) -> None:  # noqa: ANN401 - the fields of this class
        """Set what is named; ``refusals`` as objects. Raises TypeError for a name that is none."""
        for name, value in given.items():
            if name not in {one.name for one in fields(self)}:
                raise TypeError(f"the feed has no {name}")
            setattr(self, name, [Refusal(**one) for one in value] if name == "refusals" else value)

    @property
    def is_default(self) -> bool:
        """Whether answers depend on nothing here."""
        return self == FeedOptions(cursor_form=self.cursor_form)

    def refusal_for(self, roots: Sequence[Mapping[str, str | None]]) -> Refusal | None:
        """Return what refuses a whole request of these root fields."""
        if self.most_aliases is not None and len(roots) > self.most_aliases:
            return Refusal(self.too_many)
        whole = (refusal for refusal in self.refusals if refusal.test_uuid is None)
        return next((one for one in whole if any(one.applies_to(root["field"] or "", root) for root in roots)), None)

    def capped(self, edges: list[Json], room: list[int], *, newest_first: bool) -> list[Json]:
        """Return what is sent of a test's edges; ``room`` holds how many the request may still have."""
        if self.cap is None:
            return edges
        most = min(self.cap, len(edges), room[0] if self.cap_shared else self.cap)
        room[0] -= most
        from_start = newest_first == (self.cap_keeps == "newest")
        return edges[:most] if from_start else edges[len(edges) - most :]

    def format_cursor(self, cursor: str, number: int) -> str:
        """Return a freshly drawn cursor in the form that is asked for."""
        forms = {
            "hex": cursor,
            "number": str(9_000_000_000 + number),
            "long": (cursor * 50)[:1500],
            "foreign": f"позиция №{number} / 位置=“{cursor[-6:]}”\n",
        }
        return forms[self.cursor_form]

    def send_numbers(self, data: Json) -> None:
        """Turn cursors of digits and all times into numbers, in place."""
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
        """Return errors in the form that is asked for."""
        return [error["message"] if self.plain_errors else error for error in errors]
