"""A client that speaks to a sandbox as the tap would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from tests.support.harness import LONG

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox

CHANGES = """
query ($test: String!, $since: String) {
  testResultChanges(testUUID: $test, sinceCursor: $since) {
    edges { node { cursor responseUuid testResultId changeType changedAt } }
  }
}
"""
COUNT = """
query ($test: String!, $since: String) {
  testResultChangesCount(testUUID: $test, sinceCursor: $since) { count latestCursor }
}
"""


class Client:
    """Requests to one sandbox, with its own token."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.session = requests.Session()
        self.token = self.ask_token().json()["access_token"]

    def ask_token(self, **changed: str) -> requests.Response:
        """Ask for a token; ``changed`` replaces fields of the form."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.box.client_id,
            "client_secret": self.box.client_secret,
            "scope": "studies:read",
            **changed,
        }
        return self.session.post(self.box.auth_endpoint, data=form, timeout=LONG)

    def get(self, path: str, *, timeout: float = LONG, **query: object) -> requests.Response:
        """Send an authorised GET, without following redirects."""
        return self.session.get(
            self.box.url + path,
            params={name: str(value) for name, value in query.items()},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=timeout,
            allow_redirects=False,
        )

    def feed(self, query: str, *, token: str | None = None, **variables: object) -> requests.Response:
        """Send a GraphQL query, with the token of the Results API unless another is given."""
        return self.session.post(
            self.box.feed_url,
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token or self.token}"},
            timeout=LONG,
        )

    def changes(self, test_uuid: str, since: str | None = None) -> list[dict[str, Any]]:
        """Return the changes of a test in the order in which they were sent."""
        body = self.feed(CHANGES, test=test_uuid, since=since).json()
        assert "errors" not in body
        return [edge["node"] for edge in body["data"]["testResultChanges"]["edges"]]

    def count(self, test_uuid: str, since: str | None = None) -> dict[str, Any]:
        """Return count and latest cursor of a test."""
        answer: dict[str, Any] = self.feed(COUNT, test=test_uuid, since=since).json()["data"]
        found: dict[str, Any] = answer["testResultChangesCount"]
        return found
