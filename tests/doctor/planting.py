"""A server whose every answer is full of values that no report may hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox.variant import Variant

if TYPE_CHECKING:
    from tap_usertesting.sandbox.requests_and_replies import Reply

NAMES = ("Amelie", "Joachim", "Zofia", "Ngozi", "Thibault", "Ottilie", "Kasimir", "Yolanda")
# What the tap needs to find its way; all else is replaced.
KEPT = {"sessionId", "testId", "studyUuid", "uuid", "type", "productType", "startTime", "finishTime", "access_token"}
KEPT |= {"cursor", "responseUuid", "changeType", "changedAt", "latestCursor", "orderedAt", "window_reset"}


@dataclass(frozen=True)
class Planting(Variant):
    """Plants a value in place of each text, beside each field and in the headers; remembers all of them."""

    rng: Random = field(default_factory=lambda: Random(5), compare=False)  # noqa: S311 - test data
    planted: list[str] = field(default_factory=list, compare=False)

    def alter(self, kind: str, reply: Reply) -> Reply:
        """Plant values in a reply of any kind and status."""
        headers = [
            *reply.headers,
            ("X-Request-Id", self.value()),
            ("Set-Cookie", f"session={self.value()}; Path=/"),
            ("Server", self.value()),
            (f"X-{self.value('')}", self.value()),
        ]
        if reply.content_type.startswith("text/vtt"):
            body = f"WEBVTT\n\n00:00.000 --> 00:09.000\n<v {self.value()}>{self.value()} {self.value()}</v>\n".encode()
        elif kind == "token":
            body = reply.body
        else:
            body = json.dumps(self.spread(json.loads(reply.body))).encode()
        return replace(reply, body=body, headers=headers)

    def spread(self, node: Any) -> Any:  # noqa: ANN401 - JSON is anything
        """Return JSON with values planted in it."""
        if isinstance(node, dict):
            found = {name: inner if name in KEPT else self.spread(inner) for name, inner in node.items()}
            return found if set(node) & {"data", "testResultChanges"} else {**found, self.address(): self.value()}
        if isinstance(node, list):
            return [self.spread(inner) for inner in node]
        return self.value() if isinstance(node, str) else node

    def value(self, blank: str = " ") -> str:
        """Return a new value."""
        name = self.rng.choice(NAMES)
        self.planted.append(f"{name}{blank}{self.rng.randrange(10**9)}".replace(" ", "-"))
        return self.planted[-1]

    def address(self) -> str:
        """Return a new e-mail address, as the name of a field."""
        self.planted.append(f"{self.rng.choice(NAMES).lower()}.{self.rng.randrange(10**9)}@example.org")
        return self.planted[-1]
