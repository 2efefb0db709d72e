"""A small feed for scripted servers: it answers counts for any number of tests in one request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tap_usertesting.api.feed import Ask
from tests.support.servers import Reply, Seen

HUNDRED = [Ask(f"ut_{n}", None) for n in range(100)]
ONE = HUNDRED[0]
INTERNAL_ERROR = Reply(400, b'{"errors": [{"message": "Internal error"}]}')


def reply(body: Any, status: int = 200) -> Reply:  # noqa: ANN401 - JSON is anything
    """Return a JSON answer."""
    return Reply(status, json.dumps(body).encode())


@dataclass
class Feed:
    """A feed with one result per test. `refused`: test to error; `poison`: tests that make the whole request fail."""

    refused: dict[str, str] = field(default_factory=dict)
    poison: frozenset[str] = frozenset()
    poisoned: Reply = INTERNAL_ERROR

    def __call__(self, seen: Seen) -> Reply:
        """Answer the count of each alias in the request."""
        variables = json.loads(seen.body)["variables"]
        asked = {f"t{name[1:]}": test for name, test in variables.items() if name[0] == "u"}
        if self.poison & set(asked.values()):
            return self.poisoned
        data = {
            alias: None if test in self.refused else {"count": 1, "latestCursor": f"{test}/1"}
            for alias, test in asked.items()
        }
        errors = [
            {"message": self.refused[test], "path": [alias]} for alias, test in asked.items() if test in self.refused
        ]
        return reply({"data": data} | ({"errors": errors} if errors else {}))
