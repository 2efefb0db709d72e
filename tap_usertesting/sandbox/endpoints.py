"""The endpoints that the sandbox serves, and the kinds of calls to them. Everything that lists either reads it here."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

AUTH_PATH = "/oauth2/aus1p3vtd8vtm4Bxv0h8/v1/token"
LEGACY_PREFIX = "/usertesting/api/v1/"
FEED_PATH = "/graphql/"

_SESSION = "sessionResults/{session}"
_TEST = "testResults/{test}"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint. ``kind``: of the calls to it. ``path``: ids stand in braces."""

    kind: str
    api: Literal["results", "legacy", "token", "feed"]
    method: str
    path: str
    serves: str

    def ids(self, path: str) -> dict[str, str] | None:
        """Return the ids in a path, None if it is not a path of this endpoint."""
        found = _pattern(self).fullmatch(path)
        return None if found is None else found.groupdict()


@functools.cache
def _pattern(endpoint: Endpoint) -> re.Pattern[str]:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)
    # The vendor's service takes the list's path with a slash at its end as well.
    return re.compile(f"{pattern}/?" if endpoint.kind == "list" else pattern)


ENDPOINTS = (
    Endpoint("token", "token", "POST", AUTH_PATH, "a token, in exchange for client id and secret"),
    Endpoint("list", "results", "GET", "/api/v2/sessionResults", "the completed sessions of a test, page by page"),
    Endpoint("details_v3", "results", "GET", f"/api/v3/{_SESSION}", "the participant, tasks and answers of a session"),
    Endpoint("details_v2", "results", "GET", f"/api/v2/{_SESSION}", "the same in version 2"),
    Endpoint(
        "transcript", "results", "GET", f"/api/v2/{_SESSION}/transcript", "the transcript of a session, as WebVTT"
    ),
    Endpoint("video", "results", "GET", f"/api/v2/{_SESSION}/videoDownloadUrl", "a link to the video of a session"),
    Endpoint("clips", "results", "GET", f"/api/v2/{_SESSION}/clips", "the clips of a session's video"),
    Endpoint("clip", "results", "GET", f"/api/v2/{_SESSION}/clips/{{item}}", "a link to a clip"),
    Endpoint("qx_scores", "results", "GET", f"/api/v2/{_TEST}/qxScores", "the QXscores of a test"),
    Endpoint("reels", "results", "GET", f"/api/v2/{_TEST}/highlightreels", "the highlight reels of a test"),
    Endpoint("reel", "results", "GET", f"/api/v2/{_TEST}/highlightreels/{{item}}", "a link to a highlight reel"),
    Endpoint("v1", "legacy", "GET", f"{LEGACY_PREFIX}workspaces", "the workspaces of the account"),
    Endpoint(
        "v1", "legacy", "GET", f"{LEGACY_PREFIX}workspaces/{{workspace}}", "the tests of a workspace, page by page"
    ),
    Endpoint("v1", "legacy", "GET", f"{LEGACY_PREFIX}studies/{{test}}", "one test"),
    Endpoint("feed_count", "feed", "POST", FEED_PATH, "GraphQL: the number of changed results of a test"),
    Endpoint("feed_changes", "feed", "POST", FEED_PATH, "GraphQL: the changes to the results of a test"),
)
RESULTS = tuple(endpoint for endpoint in ENDPOINTS if endpoint.api == "results")

# The kinds of calls that are more than one endpoint, or none.
_WIDER_KINDS = {
    "v1": "every call to the legacy API",
    "feed": "every request to the change feed",
    "results": "every call to the Results API, v2 and v3",
    "any": "every call",
    "unknown": "a call to any other path",
}
# Each kind that a fault can name, and which calls it stands for.
CALL_KINDS = {endpoint.kind: endpoint.serves for endpoint in ENDPOINTS} | _WIDER_KINDS
