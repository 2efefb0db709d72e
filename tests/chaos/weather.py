"""What goes wrong on the way: a fault for a share of all calls, drawn from the seed and the number of the call."""
# ruff: noqa: S311 - reproducible test data, nothing secret is drawn here

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.requests_and_replies import RESULTS_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox import Sandbox
    from tap_usertesting.sandbox.requests_and_replies import ServedCall

WINDOW = 0.3  # seconds: the quota's window, compressed
HANG = 1.3  # seconds: longer than the tap's request timeout
# A body that drips and comes in time, and one in pieces of which each comes in time and the whole does not.
DRIP, ENDLESS_DRIP = 0.4, 9.0
ENDLESS_SHARE = 0.15
NONSENSE = (
    "Wed, 01 Jan 2020 00:00:00 GMT",  # long past
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "99999999999999",
    "1e400",
    "-5",
    "soon",
)
# Fault and weight. What costs the tap seconds is rarer, so that a seed ends in some.
FAULTS = {
    "500": 3,
    "502": 3,
    "503": 3,
    "504": 3,
    "reset": 4,
    "cut": 4,
    "malformed": 3,
    "html": 3,
    "429 bare": 2,
    "429 seconds": 1,
    "429 nonsense": 3,
    "revoked": 3,
    "hang": 1,
    "drip": 2,
    "redirect": 1,
    # Answers that look well and are not.
    "another's": 3,
    "accepted": 3,
    "error with 200": 3,
    "short": 3,
    "capped": 3,
}
# Those of the feed are not tried again: it may refuse a request for good in an answer that looks like these.
FINAL = frozenset({"accepted", "error with 200", "capped"})
ANOTHERS_KINDS = RESULTS_KINDS - {"transcript", "qx_scores"}
SHORT_KINDS = frozenset({"list", "v1"})


class Weather:
    """Disturbs a share of the calls of a sandbox while `share` is above 0; counts what it did."""

    def __init__(self, box: Sandbox, seed: int) -> None:
        """Start with a blue sky."""
        self.share = 0.0
        self.met: Counter[str] = Counter()
        self._box = box
        self._seed = seed

    def disturb(self, call: ServedCall) -> str:
        """Let a fault meet this call, or not; returns which, or "". Runs before the call is answered."""
        if call.kind == "feed":  # one at a time
            self._box.world.feed_options.set(cap=None)
        rng = Random(f"{self._seed}/{call.n}")
        if rng.random() >= self.share:
            return ""
        name = _fitting(rng.choices(list(FAULTS), list(FAULTS.values()))[0], call.kind)
        self.met[name] += 1
        orders: dict[str, Callable[[], None]] = {
            "reset": lambda: self._box.fail(call.kind, fault="reset"),
            "cut": lambda: self._box.fail(call.kind, fault="cut"),
            "malformed": lambda: self._box.fail(call.kind, fault="malformed"),
            "html": lambda: self._box.fail(call.kind, fault="html"),
            "redirect": lambda: self._box.fail(call.kind, fault="redirect"),
            "another's": lambda: self._box.fail(call.kind, fault="other"),
            "accepted": lambda: self._box.fail(call.kind, status=202, body={"status": "PROCESSING"}),
            "error with 200": lambda: self._box.fail(call.kind, status=200, body={"error": "Internal error"}),
            "short": lambda: self._box.fail(call.kind, fault="short"),
            "capped": lambda: self._box.world.feed_options.set(cap=1),
            "hang": lambda: self._box.fail(call.kind, fault="hang", seconds=HANG),
            "drip": lambda: self._drip(call, ENDLESS_DRIP if rng.random() < ENDLESS_SHARE else DRIP),
            "revoked": self._box.revoke_tokens,
            "429 bare": lambda: self._throttle(call, {}),
            "429 seconds": lambda: self._throttle(call, {"Retry-After": "1"}),
            "429 nonsense": lambda: self._throttle(call, {"Retry-After": rng.choice(NONSENSE)}),
        }
        if name in orders:
            orders[name]()
        else:
            self._box.fail(call.kind, status=int(name))
        return name

    def _drip(self, call: ServedCall, seconds: float) -> None:
        self._box.fail(call.kind, fault="drip", seconds=seconds)

    def _throttle(self, call: ServedCall, headers: dict[str, str]) -> None:
        """Refuse a call for the quota. Outside the Results API no header tells the window, and 60 s are assumed."""
        told = {} if call.kind in RESULTS_KINDS else {"x-ratelimit-reset": str(WINDOW)}
        body = {"statusCode": 429, "message": "ThrottlerException: Too Many Requests"}
        self._box.fail(call.kind, status=429, body=body, headers={**told, **headers})


def _fitting(name: str, kind: str) -> str:
    """Return a fault that can meet a call of this kind: itself, or one like it."""
    if name == "malformed" and kind == "transcript":
        return "cut"  # plain text that a server cuts and frames well cannot be told from a short transcript
    # Another's transcript looks like this one's. Another test may have no scores, and a 404 is an answer.
    if name == "another's" and kind not in ANOTHERS_KINDS:
        return "accepted"
    if (name == "short" and kind not in SHORT_KINDS) or (name == "capped" and kind != "feed"):
        return "error with 200"
    return name
