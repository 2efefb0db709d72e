"""What the index page says, as JSON: what is served, what is true, and commands to paste."""

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.commands import BODIES, commands
from tap_usertesting.sandbox.endpoints import CALL_KINDS, ENDPOINTS
from tap_usertesting.sandbox.example_calls import example_call, samples
from tap_usertesting.sandbox.feed_options import Refusal
from tap_usertesting.sandbox.fields import described
from tap_usertesting.sandbox.truth import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_usertesting.sandbox.controls import Controls
    from tap_usertesting.sandbox.model import Test
    from tap_usertesting.sandbox.requests_and_replies import Json

# What each path that takes a body is for, in the order of the page.
_TITLES = {
    "events": "Trigger events",
    "faults": "Make calls fail",
    "feed": "Configure the change feed",
    "answers": "Configure the Results API and the legacy API",
    "quota": "Change the quota",
}
_OPTIONS = "An option stays set until you change it. A body can set several options. DELETE restores the defaults."
_ABOUT = {
    "events": "An event happens at once. The change feed reports it, and the counts above change.",
    "faults": "A fault applies to the next calls of its kind. If several faults match a call, the oldest one applies. "
    "To see a fault, run the tap or paste a call from above.",
    "feed": _OPTIONS,
    "answers": _OPTIONS,
    "quota": "A command replaces the whole quota and resets the count. Omitted fields get their defaults.",
}


def export_lines(config: Json) -> list[str]:
    """Return the commands of a shell that set the environment variables of the tap."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in config.items()}
    return [f"export TAP_USERTESTING_{name.upper()}={shlex.quote(text)}" for name, text in texts.items()]


def index(box: Controls, requests: Iterable[tuple[str, str, str]]) -> Json:
    """Return what the page says. ``requests``: method, path and meaning of all that the back door answers."""
    world = box.world
    token = box.tokens.issue()
    with world.lock:
        found = samples(world)
        return {
            "url": box.url,
            "seed": world.seed,
            "now": world.now.isoformat(),
            "quota": None if box.quota.rule is None else dataclasses.asdict(box.quota.rule),
            "settings": export_lines(box.config()),
            "truth": f"{box.url}/_sandbox/truth",
            "tables": tables(world),
            "tests": [_test(test) for test in world.tests.values()],
            "endpoints": [
                {**dataclasses.asdict(endpoint), "example": example_call(box, endpoint, token)}
                for endpoint in ENDPOINTS
            ],
            "call_kinds": CALL_KINDS,
            "requests": [
                {"method": method, "path": path, "says": says, "curl": _curl(box.url, method, path)}
                for method, path, says in requests
            ],
            "commands": [
                {
                    "path": f"/_sandbox/{path}",
                    "title": title,
                    "says": _ABOUT[path],
                    "fields": _fields(path),
                    "commands": [
                        {"field": one.field, "says": one.says, "curl": one.curl(box.url)}
                        for one in commands(path, found)
                    ],
                }
                for path, title in _TITLES.items()
            ],
        }


def _curl(url: str, method: str, path: str) -> str | None:
    """Return the command for a request, None if it needs a body: ``commands`` has those."""
    if method == "POST" and path.rpartition("/")[2] in BODIES:
        return None
    return f"curl -sS {url}{path}" if method == "GET" else f"curl -sS -X {method} {url}{path}"


def _fields(path: str) -> Sequence[Json]:
    own = described(BODIES[path])
    if path != "feed":
        return own
    return own + [{**one, "name": f"refusals: {one['name']}"} for one in described(Refusal)]


def _test(test: Test) -> Json:
    served = [session for session in test.sessions.values() if session.served]
    return {
        "test_id": test.test_id,
        "title": test.title,
        "product_type": test.product_type,
        "workspace": test.workspace.name,
        "served_by": ["legacy API"] + ["Results API"] * test.served_by_results + ["change feed"] * test.in_feed,
        "sessions": len(served),
        "transcripts": sum(session.vtt is not None for session in served),
        "awaiting_transcript": sum(test.is_spoken and not session.has_transcript for session in served),
        "rejected": sum(session.rejected for session in test.sessions.values()),
        "changes": len(test.events) if test.in_feed else 0,
    }
