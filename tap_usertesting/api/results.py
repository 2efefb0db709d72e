"""The Results API: one method for each endpoint. Source: the vendor's references "Results API" (v2, v3) and "v1".

Each method raises what `Transport.send` raises. An answer that is not valid (see `valid_answers.py`) is a fault: the
call is retried.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from tap_usertesting.api import valid_answers
from tap_usertesting.api.call import AUTHORIZATION, BARE, Call
from tap_usertesting.api.errors import BadRequestError, CredentialsRejectedError, MalformedError, NotFoundError
from tap_usertesting.api.safe_ids import is_id
from tap_usertesting.values.charset import Decoded, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Kind, Service
    from tap_usertesting.api.transport import Transport

PAGE = 500  # sessions in a page, the most that the vendor allows
DEFAULT_PAGE = 100  # sessions in a page, as the vendor's help pages say
LAST_OFFSET = 10_000  # the greatest that the vendor allows
MOST_SESSIONS = 1e15  # a count above this is no count
V1 = "v1"  # the legacy API
V1_PAGE = 50  # items in a page of the legacy API
AUTO = "auto"
DETAILS_VERSION = "detailsVersion"  # the key that the tap adds to details

T = TypeVar("T")


@dataclass(frozen=True)
class SessionPage:
    """One page of the session list of a test."""

    sessions: list[dict[str, Any]]  # the items with a usable id, as the vendor sends them
    total_count: int | None  # sessions of the test; None if the page does not say, or may count only its own items
    received: int  # items, also those without a usable id


class ResultsClient:
    """Reads tests, sessions, details, transcripts and QXscores."""

    def __init__(self, *, transport: Transport, service: Service, api_url: str) -> None:
        """`api_url`: the base of the API, such as https://api.use2.usertesting.com."""
        self._transport = transport
        self._service = service
        self._base = api_url.rstrip("/")
        self._v1_header = AUTHORIZATION
        self._details_version: str | None = None  # the last one that has answered
        self.left_out: Counter[str] = Counter()  # items without a usable id, by what they are

    def session_page(self, test_id: str, *, offset: int, limit: int = PAGE) -> SessionPage:
        """GET /api/v2/sessionResults: the completed sessions of a test, the newest first by a key that is not named.

        Raises NotFoundError if the test does not exist or is not permitted.
        """
        params: dict[str, str | int] = {"testId": test_id, "limit": limit, "offset": offset}

        def read(answer: Answer) -> SessionPage:
            return _session_page(answer, test_id, limit)

        return self._get("list", "/api/v2/sessionResults", read, params=params, kind="list")

    def details(self, session_id: str, *, version: str = AUTO) -> dict[str, Any]:
        """GET /api/{v2,v3}/sessionResults/{sessionId}: demographics, tasks and answers of one session.

        `version`: v2, v3 or auto. Auto asks v3, and then v2 if v3 answers 404 and has never succeeded: a 404 alone may
        mean that there is no v3, or no such session. The details say under `detailsVersion` which version they are.
        """
        first = (self._details_version or "v3") if version == AUTO else version
        try:
            return self._details(session_id, first)
        except NotFoundError:
            if version != AUTO or self._details_version is not None:
                raise
            return self._details(session_id, "v2")

    def _details(self, session_id: str, version: str) -> dict[str, Any]:
        path = f"/api/{version}/sessionResults/{_in_path(session_id)}"
        body = self._get(f"details_{version}", path, lambda answer: valid_answers.details(answer, session_id))
        self._details_version = version
        return {**body, DETAILS_VERSION: version}

    def transcript(self, session_id: str) -> Decoded:
        """GET /api/v2/sessionResults/{sessionId}/transcript: WebVTT. NotFoundError if there is none, or none yet."""
        path = f"/api/v2/sessionResults/{_in_path(session_id)}/transcript"
        return self._get("transcript", path, _webvtt)

    def qx_scores(self, test_id: str) -> dict[str, Any]:
        """GET /api/v2/testResults/{testId}/qxScores: aggregate scores. NotFoundError unless an interaction test."""
        path = f"/api/v2/testResults/{_in_path(test_id)}/qxScores"
        return self._get(
            "qx_scores", path, lambda answer: valid_answers.with_list(answer, "qxScores", test_id), kind="test"
        )

    def clips(self, session_id: str, *, test_id: str) -> dict[str, Any]:
        """GET /api/v2/sessionResults/{sessionId}/clips. An empty list or NotFoundError if there is none."""
        path = f"/api/v2/sessionResults/{_in_path(session_id)}/clips"
        return self._get("clips", path, lambda answer: valid_answers.with_list(answer, "clips", test_id))

    def video_link(self, session_id: str) -> dict[str, Any]:
        """GET /api/v2/sessionResults/{sessionId}/videoDownloadUrl: `videoUrl`, which is a secret, and `expiresAt`."""
        path = f"/api/v2/sessionResults/{_in_path(session_id)}/videoDownloadUrl"
        return self._get("video", path, lambda answer: valid_answers.video_link(answer, session_id))

    def highlight_reels(self, test_id: str) -> dict[str, Any]:
        """GET /api/v2/testResults/{testId}/highlightreels: `reels`, and whether the test has any clips."""
        path = f"/api/v2/testResults/{_in_path(test_id)}/highlightreels"
        return self._get("reels", path, lambda answer: valid_answers.with_list(answer, "reels", test_id), kind="test")

    def workspaces(self, *, after: str | None) -> list[dict[str, Any]]:
        """GET /v1/workspaces: the workspaces that the credentials can see, up to V1_PAGE after a cursor."""
        return self._get_v1("workspaces", "/v1/workspaces", after)

    def studies(self, workspace_id: str, *, after: str | None) -> list[dict[str, Any]]:
        """GET /v1/workspaces/{workspaceUuid}: the studies of a workspace, up to V1_PAGE after a cursor."""
        return self._get_v1("studies", f"/v1/workspaces/{_in_path(workspace_id)}", after)

    def _get(
        self,
        label: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        params: Mapping[str, str | int] | None = None,
        header: str = AUTHORIZATION,
        kind: Kind = "session",
        api: str = "",
    ) -> T:
        url = self._base + path
        call = Call(self._service, "GET", url, label, params=params, token_header=header, kind=kind, api=api)
        return self._transport.send(call, read)

    def _get_v1(self, label: str, path: str, after: str | None) -> list[dict[str, Any]]:
        """Read one page of the legacy API.

        The vendor's page names the bearer header, but public code sends the bare token in a header `token`. The tap
        tries them in this order, and keeps the one that works.
        """
        path = f"/usertesting/api{path}"
        params = None if after is None else {"after": after}
        header = self._v1_header

        def read(answer: Answer) -> list[dict[str, Any]]:
            return _items(answer, label)

        try:
            page: list[dict[str, Any]] = self._get(
                label, path, read, params=params, header=self._v1_header, kind="list", api=V1
            )
        except CredentialsRejectedError:
            if header == BARE:
                raise
            page = self._get(label, path, read, params=params, header=BARE, kind="list", api=V1)
            self._v1_header = BARE
        return page


def _in_path(identifier: str) -> str:
    """Return an id as a part of a URL path. It comes from a server, so it may hold anything: raises BadRequestError."""
    if not is_id(identifier):
        message = "the server sent an id that cannot be part of a URL"
        raise BadRequestError(message)
    return quote(identifier, safe="")


def _session_page(answer: Answer, test_id: str, limit: int) -> SessionPage:
    if answer.status == valid_answers.NO_CONTENT:
        return SessionPage([], None, 0)
    body = valid_answers.with_list(answer, "sessions", test_id)
    sessions = body["sessions"]
    items = [item for item in sessions if isinstance(item, dict) and is_id(item.get(valid_answers.SESSION_ID))]
    meta = body.get("meta")
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    named = pagination if isinstance(pagination, dict) else {}
    total, most = _count(named.get("totalCount")), _count(named.get("limit"))
    full = limit > 1 and total in {limit, DEFAULT_PAGE}
    if total and total == len(sessions) and (full or not most or most <= total < limit):
        total = (
            None  # the server may count the page instead of the test: it is full, or the server's own limit is lower
        )
    return SessionPage(items, total, len(sessions))


def _count(value: object) -> int | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < MOST_SESSIONS:
        return None
    return int(value)


def _webvtt(answer: Answer) -> Decoded:
    found = decoded(valid_answers.complete(answer).body, answer.headers.get("Content-Type"))
    valid_answers.transcript(found.text)
    return found


def _items(answer: Answer, wrapper: str) -> list[dict[str, Any]]:
    """Return the list in an answer of v1. Public code has also seen it in an object, under `wrapper`."""
    if answer.status == valid_answers.NO_CONTENT:
        return []
    body = valid_answers.complete(answer).json()
    if isinstance(body, dict):
        body = body.get(wrapper)
    if not isinstance(body, list):
        message = "the body is not a list"
        raise MalformedError(message)
    return [item if isinstance(item, dict) else {} for item in body]
