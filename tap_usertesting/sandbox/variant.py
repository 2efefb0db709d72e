"""How a served API differs from what the vendors document: one option for each thing that a client may assume.

`like.py` makes a variant of the report of `tap-usertesting --doctor`, so that a server can be met before it is met.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tap_usertesting.sandbox.quota import QuotaRule
from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS, Reply, json_reply, nest_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.requests_and_replies import Json

Order = Literal["newest_first", "oldest_first", "mixed"]
OfTests = Literal["by_type", "of_all", "of_none"]

_OK, _ERROR_FROM, _NOT_FOUND, _TOO_MANY = 200, 400, 404, 429
_PAGE = b"<html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
_ID_SPACE = uuid.UUID("6f2b1c0e-52a1-4d0b-9a34-0f6f6f2d7a10")
_RESPONSE_PREFIX = "ut_response_"


@dataclass(frozen=True)
class Variant:
    """The defaults are what the vendors document. ``set_up.py`` makes a world follow it.

    quota: None for no limit.
    token_end: whether the token endpoint names ``expires_in``.
    list_order: of the session list, by the key that the world names.
    list_page: the most sessions of a page.
    list_total: what ``totalCount`` counts, or that it is absent.
    list_offset: whether the list obeys ``offset``.
    session_times: whether sessions in the list have times.
    sessions: how many sessions one test has at least.
    details: the versions that are served.
    payloads: what stands inside the answers of a participant.
    answers: whether answers are about the test or session that was asked for.
    missing_test: the status for the list of a test that is not there; 200 is an empty list.
    missing_transcript: the status where there is no transcript; 200 is a body without cues.
    transcripts, scores: of which tests there are any: by type, of all or of none.
    reels_tell: whether the list of reels has ``studyWithClips``.
    errors: the form of the bodies of errors of the Results API.
    legacy: how the legacy API takes the token; ``gone``: it is not served.
    legacy_after: whether it obeys ``after``.
    legacy_page: the most tests of a page.
    legacy_types: the words for the types of tests.
    tests: how many tests the first workspace has at least.
    feed: ``gone``: its address answers 404; ``unset``: the settings that the sandbox prints leave it out.
    feed_tests, feed_responses: whether the feed knows the tests, and names the sessions, by the ids of the Results API.
    feed_most_tests: of one request.
    feed_cap: the most events of a test in an answer.
    feed_counts: what ``count`` counts.
    feed_order: of the events of a test.
    feed_cursor: whether ``sinceCursor`` leaves its own event out.
    feed_unknown_cursor: what a cursor gives that the feed does not know.
    feed_types: the words for what has changed.
    feed_budget: whether answers have ``extensions.ratelimit``.
    """

    quota: QuotaRule | None = QuotaRule()  # noqa: RUF009 - it is frozen
    token_end: bool = True
    list_order: Order = "newest_first"
    list_page: int = 500
    list_total: Literal["all", "page", "absent"] = "all"
    list_offset: bool = True
    session_times: bool = True
    sessions: int = 0
    details: tuple[Literal["v2", "v3"], ...] = ("v2", "v3")
    payloads: Literal["objects", "texts"] = "objects"
    answers: Literal["asked", "another"] = "asked"
    missing_test: int = 404
    missing_transcript: int = 404
    transcripts: OfTests = "by_type"
    scores: OfTests = "by_type"
    reels_tell: bool = True
    errors: Literal["JSON", "HTML"] = "JSON"
    legacy: Literal["bearer", "token", "refused", "gone"] = "bearer"
    legacy_after: bool = True
    legacy_page: int = 50
    legacy_types: Literal["upper", "lower", "other"] = "upper"
    tests: int = 0
    feed: Literal["served", "gone", "unset"] = "served"
    feed_tests: Literal["joined", "unknown"] = "joined"
    feed_responses: Literal["joined", "other"] = "joined"
    feed_most_tests: int | None = None
    feed_cap: int | None = None
    feed_counts: Literal["results", "events"] = "results"
    feed_order: Order = "newest_first"
    feed_cursor: Literal["exclusive", "inclusive"] = "exclusive"
    feed_unknown_cursor: Literal["error", "nothing"] = "error"
    feed_types: Literal["documented", "other"] = "documented"
    feed_budget: bool = True

    def alter(self, kind: str, reply: Reply) -> Reply:
        """Return a reply as this variant sends it. ``kind``: that of the call."""
        if self == _DOCUMENTED:
            return reply
        if kind in RESULTS_KINDS:
            return self._alter_results(kind, reply)
        if reply.status != _OK:
            return reply
        if kind == "token" and not self.token_end:
            return _edited(reply, lambda body: body.pop("expires_in", None))
        if kind == "v1" and self.legacy_types == "other":
            return _edited(reply, _rename_types)
        return _edited(reply, self._alter_feed) if kind == "feed" else reply

    def _alter_results(self, kind: str, reply: Reply) -> Reply:
        if reply.status == _NOT_FOUND and kind == "list":
            reply = self._without_test(reply)
        elif reply.status == _NOT_FOUND and kind == "transcript":
            reply = self._without_transcript(reply)
        if reply.status >= _ERROR_FROM and reply.status != _TOO_MANY and self.errors == "HTML":
            return replace(reply, body=_PAGE, content_type="text/html; charset=utf-8")
        if reply.status != _OK:
            return reply
        if kind == "list" and not self.session_times:
            return _edited(reply, _drop_times)
        if kind.startswith("details") and self.payloads == "texts":
            return _edited(reply, _flatten_payloads)
        if kind == "reels" and not self.reels_tell:
            return _edited(reply, lambda body: body.pop("studyWithClips", None))
        return reply

    def _without_test(self, reply: Reply) -> Reply:
        if self.missing_test == _OK:
            meta = {"pagination": {"limit": 1, "offset": 0, "totalCount": 0}}
            return json_reply(_OK, {"sessions": [], "meta": meta}, reply.headers)
        if self.missing_test == _NOT_FOUND:
            return reply
        return replace(nest_error(self.missing_test, "Forbidden resource"), headers=reply.headers)

    def _without_transcript(self, reply: Reply) -> Reply:
        if self.missing_transcript == _NOT_FOUND:
            return reply
        if self.missing_transcript >= _ERROR_FROM:
            return replace(nest_error(self.missing_transcript, "Forbidden resource"), headers=reply.headers)
        body = b"WEBVTT\n\n" if self.missing_transcript == _OK else b""
        return Reply(self.missing_transcript, body, "text/vtt; charset=utf-8", reply.headers)

    def _alter_feed(self, body: Json) -> None:
        if not self.feed_budget:
            body.pop("extensions", None)
        for answer in (body.get("data") or {}).values():
            for edge in (answer or {}).get("edges") or ():
                self._alter_event(edge["node"])

    def _alter_event(self, node: Json) -> None:
        if self.feed_responses == "other" and "responseUuid" in node:
            node["responseUuid"] = f"{_RESPONSE_PREFIX}{uuid.uuid5(_ID_SPACE, node['responseUuid'])}"
        if self.feed_types == "other" and "changeType" in node:
            node["changeType"] = f"RESULT_{node['changeType']}"


_DOCUMENTED = Variant()


def arranged(items: list[Any], order: Order) -> list[Any]:
    """Return items that come newest first in another order. A mixed one is always the same."""
    if order == "oldest_first":
        return items[::-1]
    if order == "mixed":
        # Two by two: no part of the list is in order, however short it is.
        half = (len(items) + 1) // 2
        mixed = [item for pair in zip(items[half:], items[:half], strict=False) for item in pair]
        return mixed + items[half - 1 : half] * (len(items) % 2)
    return items


def _edited(reply: Reply, edit: Callable[[Any], object]) -> Reply:
    body = json.loads(reply.body)
    edit(body)
    return replace(json_reply(reply.status, body), headers=reply.headers)


def _drop_times(body: Json) -> None:
    for session in body["sessions"]:
        session.update(startTime=None, finishTime=None)


def _rename_types(body: Any) -> None:  # noqa: ANN401 - a list or an object
    for item in body if isinstance(body, list) else []:
        if "type" in item:
            item["type"] = f"{item['type']}_NEW"


def _flatten_payloads(body: Json) -> None:
    """Make texts of what stands inside the answers."""
    for task in body.get("tasks") or ():
        answer = (task["response"] or {}).get("answer") or {}
        answer.update({kind: json.dumps(given) for kind, given in answer.items() if given is not None})
    for task in body.get("sessionTaskResults") or ():
        given = task["taskResponse"] or {}
        given.update({kind: json.dumps(inner) for kind, inner in given.items()})
