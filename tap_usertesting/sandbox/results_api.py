"""The Results API, v2 and v3: the answer of each endpoint to an authorised call within the quota."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.model import Session, Test, iso_seconds
from tap_usertesting.sandbox.requests_and_replies import (
    Headers,
    Reply,
    Request,
    is_uuid,
    json_reply,
    nest_error,
    no_route,
)
from tap_usertesting.sandbox.scores import qx_scores
from tap_usertesting.sandbox.variant import arranged

if TYPE_CHECKING:
    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.world import World

NO_STORE: Headers = [
    ("Cache-Control", "private, no-store"),
    ("Pragma", "no-cache"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
]

# default, least, greatest
_LIMIT = (25, 1, 500)
_OFFSET = (0, 0, 10_000)
_NOT_FOUND = {
    "list": "Test not found",
    "details_v3": "Session not found",
    "details_v2": "Session not found",
    "transcript": "Transcript not found",
    "video": "Video not found",
    "clips": "Session video or clips not found",
    "clip": "Clip not found",
    "qx_scores": "Test not found",
    "reels": "Test or highlight reels not found",
    "reel": "Highlight reel not found",
}
_VIDEO_SECONDS = 3600
_SIGNATURE = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5a4d626f78"


class ResultsApi:
    """Answers requests for the sessions and tests of a world."""

    def __init__(self, world: World) -> None:
        """Serve a world."""
        self._world = world
        self._generated: set[str] = set()

    def has_route(self, kind: str) -> bool:
        """Tell whether the service has the endpoint: each version of the details can be switched off."""
        if kind.startswith("details_"):
            return kind.removeprefix("details_") in self._world.details_versions
        return True

    def answer(self, kind: str, ids: dict[str, str], request: Request) -> Reply:
        """Answer one call. ``ids``: those in the path."""
        if request.method != "GET":
            return no_route(request)
        for value in ids.values():
            if not is_uuid(value):
                return nest_error(400, "Validation failed (uuid is expected)")
        lower = {name: value.lower() for name, value in ids.items()}
        with self._world.lock:
            found: Reply | None = None
            if kind == "list":
                found = self._list(request.query)
            elif "session" in lower:
                session = self._world.sessions.get(lower["session"])
                if session is not None and session.served:
                    found = self._of_session(kind, session, lower.get("item"))
            else:
                test = self._world.tests.get(lower["test"])
                if test is not None and test.served_by_results:
                    found = self._of_test(kind, test, lower.get("item"))
        return (found or nest_error(404, _NOT_FOUND[kind])).adding(NO_STORE)

    def answer_about_another(self, kind: str, ids: dict[str, str], request: Request) -> Reply:
        """Answer one call as if it were about another session of the test, or another test, if there is one."""
        with self._world.lock:
            session = self._world.sessions.get(ids.get("session", "").lower())
            if session is not None:
                sessions = (one.session_id for one in session.test.completed() if one is not session)
                ids = {**ids, "session": next(sessions, session.session_id)}
            else:
                test_id = ids.get("test") or request.query.get("testId", "")
                tests = (test.test_id for test in self._world.tests.values() if test.served_by_results)
                other = next((one for one in tests if one != test_id.lower()), test_id)
                ids = {**ids, "test": other} if "test" in ids else ids
                request = replace(request, query={**request.query, "testId": other})
        return self.answer(kind, ids, request)

    def _list(self, query: dict[str, str]) -> Reply | None:
        faults: list[str] = []
        test_id = query.get("testId", "").lower()
        if not is_uuid(test_id):
            faults.append("testId must be a UUID")
        limit = _number(query, "limit", _LIMIT, faults)
        offset = _number(query, "offset", _OFFSET, faults)
        if faults:
            return nest_error(400, faults)
        test = self._world.tests.get(test_id)
        if test is None or not test.served_by_results:
            return None
        sessions = arranged(test.listed(self._world.list_key), self._world.variant.list_order)
        offset = offset if self._world.variant.list_offset else 0
        limit = min(limit, self._world.list_page)
        page = [{**session.summary(), **self._world.undocumented} for session in sessions[offset : offset + limit]]
        counts: Json = {"all": len(sessions), "page": len(page), "text": f"{len(sessions)}", "null": None}
        total = {"totalCount": counts[self._world.list_total]} if self._world.list_total in counts else {}
        pagination = {"limit": limit, "offset": offset, **total}
        return json_reply(200, {"testId": test.test_id, "sessions": page, "meta": {"pagination": pagination}})

    def _of_session(self, kind: str, session: Session, item: str | None) -> Reply | None:
        """Return the answer to a call about a session, None for 404."""
        if kind == "transcript":
            who = self._world.variant.transcripts
            vtt = None if who == "of_none" else session.any_vtt if who == "of_all" else session.vtt
            return None if vtt is None else _transcript(vtt, self._world.transcript_charset)
        body: Json | None = None
        filmed = session.test.is_filmed
        if kind == "details_v3":
            body = {**session.details_v3(), **self._world.undocumented}
        elif kind == "details_v2":
            body = {**session.details_v2(), **self._world.undocumented}
        elif filmed and kind == "video":
            body = _video(session)
        elif filmed and kind == "clips":
            body = _clips(session, self._world.undocumented)
        elif filmed and any(clip["uuid"] == item for clip in session.clips):
            body = self._link("clip", "clipUuid", item)
        return None if body is None else json_reply(200, body)

    def _of_test(self, kind: str, test: Test, item: str | None) -> Reply | None:
        """Return the answer to a call about a test, None for 404."""
        body: Json | None = None
        filmed = test.is_filmed
        if kind == "qx_scores":
            body = self._scores(test)
        elif filmed and kind == "reels":
            body = {
                "reels": [{**reel, **self._world.undocumented} for reel in test.reels],
                "studyWithClips": any(session.clips for session in test.completed()),
            }
        elif filmed and any(reel["uuid"] == item for reel in test.reels):
            body = self._link("reel", "reelId", item)
        return None if body is None else json_reply(200, body)

    def _scores(self, test: Test) -> Json | None:
        which = self._world.variant.scores
        if test.has_qx_scores:
            return None if which == "of_none" else qx_scores(test)
        other = next((one for one in self._world.tests.values() if one.has_qx_scores), None)
        return {**qx_scores(other), "testId": test.test_id} if which == "of_all" and other is not None else None

    def _link(self, kind: str, id_key: str, item: str | None) -> Json:
        """Return the link to a clip or reel. The first request starts its generation; the second finds it ready."""
        if f"{kind}/{item}" not in self._generated:
            self._generated.add(f"{kind}/{item}")
            return {id_key: item, "status": "GENERATING", f"{kind}Url": None}
        url = f"https://media.example.com/{kind}s/{item}.mp4?X-Amz-Expires=900&{_SIGNATURE}"
        return {id_key: item, "status": "GENERATED", f"{kind}Url": url}


def _number(query: dict[str, str], name: str, bounds: tuple[int, int, int], faults: list[str]) -> int:
    """Return a number in the query. Errors go to ``faults``, because the service reports all of them at once."""
    default, least, most = bounds
    text = query.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        faults.append(f"{name} must be an integer number")
        return default
    if value > most:
        faults.append(f"{name} must not be greater than {most}")
    if value < least:
        faults.append(f"{name} must not be less than {least}")
    return value


def _transcript(vtt: str, charset: str) -> Reply:
    return Reply(200, vtt.encode(charset, "replace"), f"text/vtt; charset={charset}", [("Accept-Ranges", "bytes")])


def _video(session: Session) -> Json:
    expires = datetime.now(timezone.utc) + timedelta(seconds=_VIDEO_SECONDS)
    url = f"https://media.example.com/videos/{session.session_id}/session.mp4?X-Amz-Expires=3600&{_SIGNATURE}"
    return {"videoUrl": url, "sessionId": session.session_id, "expiresAt": iso_seconds(expires)}


def _clips(session: Session, more: Json) -> Json:
    screen = {"topLeftPoint": {"x": 0, "y": 0}, "widthPx": 1920, "heightPx": 1080}
    clips = [{**clip, **more} for clip in session.clips]
    return {"studyUuid": session.test.test_id, "clips": clips, "videoRegions": {"screen": screen}}
