"""The rate limit of the Results API: which calls it allows, and what its headers say."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated, Literal

from tap_usertesting.sandbox.fields import at_least, between, examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.sandbox.requests_and_replies import Headers

# seconds; tests with shorter windows run in compressed time, so their reset is sent to the millisecond
_COMPRESSED = 10.0

_MANY = 1_000_000


@dataclass(frozen=True)
class QuotaRule:
    """``limit`` calls in a ``window``.

    limit: the number of calls that a window allows. In a request to the back door, null means no limit.
    window: the length of a window in seconds.
    kind: a fixed window opens with the first call after the previous window has closed. In a sliding window each call
        expires separately, and a call over the limit blocks for a whole window, as in @nestjs/throttler.
    scope: one window for all endpoints of v2 and v3, one for each endpoint, or one for each API version.
    retry_after: the format of Retry-After in a 429 (None: no such header).
    headers: replies below the limit have the x-ratelimit-* headers.
    limit_headers: a 429 has the x-ratelimit-* headers.
    reset: the unit of x-ratelimit-reset: time left, or time since 1970.
    ahead: how many seconds the server's clock is ahead of this machine's, in Date and every other time it sends.
    """

    limit: Annotated[int, at_least(0, or_null=True)] = field(default=10, metadata=examples(3, None))
    window: Annotated[float, between(0.001, 86_400)] = field(default=60.0, metadata=examples(20))
    kind: Literal["fixed", "sliding"] = "fixed"
    scope: Literal["shared", "endpoint", "version"] = "shared"
    retry_after: Literal["seconds", "date"] | None = "seconds"
    headers: bool = True
    limit_headers: bool = False
    reset: Literal["seconds", "milliseconds", "epoch", "epoch_milliseconds"] = "seconds"
    ahead: Annotated[float, between(-31_536_000, 31_536_000)] = field(default=0.0, metadata=examples(1200))


@dataclass(frozen=True)
class Verdict:
    """Whether a call is allowed, the headers of its answer, and when its window closes (None without a limit)."""

    allowed: bool
    headers: Headers
    closes: float | None = None


@dataclass
class _Bucket:
    closes: float = 0.0
    hits: list[float] = field(default_factory=list)
    blocked_until: float = 0.0


class ServedQuota:
    """Counts calls by a rule; without a rule it allows all. ``clock``: monotonic seconds."""

    def __init__(self, rule: QuotaRule | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start a new count."""
        self._lock = threading.Lock()
        self._clock = clock
        self.set_rule(rule)

    def set_rule(self, rule: QuotaRule | None) -> None:
        """Change the rule and start a new count."""
        with self._lock:
            self.rule = rule
            self._free = 0  # calls so far while there is no limit
            self._buckets: dict[str, _Bucket] = {}

    def take(self, *, endpoint: str, version: str) -> Verdict:
        """Count one call to an endpoint, and decide whether it is allowed."""
        with self._lock:
            rule = self.rule
            if rule is None:
                # Headers cannot say "no limit", and without them a client must assume the documented limit. So a
                # huge limit is sent.
                self._free += 1
                return Verdict(allowed=True, headers=_limit_headers(_MANY, max(_MANY - self._free, 1), "60"))
            key = {"shared": "", "endpoint": endpoint, "version": version}[rule.scope]
            bucket = self._buckets.setdefault(key, _Bucket())
            now = self._clock()
            if rule.kind == "fixed":
                used, wait = _take_fixed(bucket, rule, now)
            else:
                used, wait = _take_sliding(bucket, rule, now)
            reset = max(bucket.closes - now, 0.0)
            told = _limit_headers(rule.limit, max(rule.limit - used, 0), _reset(rule, reset))
            if wait is None:
                return Verdict(allowed=True, headers=told if rule.headers else [], closes=bucket.closes)
            refusal = told if rule.limit_headers else []
            return Verdict(allowed=False, headers=refusal + _retry_after(rule, wait), closes=bucket.closes)


def _take_fixed(bucket: _Bucket, rule: QuotaRule, now: float) -> tuple[int, float | None]:
    """Return the calls used, and the seconds to wait if the call is refused."""
    if now >= bucket.closes:
        bucket.closes = now + rule.window
        bucket.hits = []
    if len(bucket.hits) >= rule.limit:
        return len(bucket.hits), bucket.closes - now
    bucket.hits.append(now)
    return len(bucket.hits), None


def _take_sliding(bucket: _Bucket, rule: QuotaRule, now: float) -> tuple[int, float | None]:
    if now >= bucket.closes:
        bucket.closes = now + rule.window
    if now < bucket.blocked_until:
        return rule.limit, bucket.blocked_until - now
    if bucket.blocked_until:
        bucket.blocked_until = 0.0
        bucket.hits = []
    bucket.hits = [hit for hit in bucket.hits if now - hit < rule.window]
    bucket.hits.append(now)
    if len(bucket.hits) > rule.limit:
        bucket.blocked_until = now + rule.window
        return rule.limit, rule.window
    return len(bucket.hits), None


def _reset(rule: QuotaRule, left: float) -> str:
    """Return ``x-ratelimit-reset`` for so many seconds left. It is rounded up, or clients would come back too early."""
    if rule.reset.startswith("epoch"):
        left += time.time() + rule.ahead
    if rule.reset.endswith("milliseconds"):
        return str(math.ceil(left * 1000))
    return f"{math.ceil(left * 1000) / 1000:.3f}" if rule.window < _COMPRESSED else str(math.ceil(round(left, 6)))


def _limit_headers(limit: int, remaining: int, reset: str) -> Headers:
    return [
        ("x-ratelimit-limit", str(limit)),
        ("x-ratelimit-remaining", str(remaining)),
        ("x-ratelimit-reset", reset),
    ]


def _retry_after(rule: QuotaRule, wait: float) -> Headers:
    if rule.retry_after is None:
        return []
    if rule.retry_after == "seconds":
        return [("Retry-After", str(math.ceil(wait)))]
    # An HTTP date has whole seconds. It is rounded up, or clients would come back too early.
    until = datetime.now(timezone.utc) + timedelta(seconds=wait + rule.ahead)
    until = until.replace(microsecond=0) + timedelta(seconds=1)
    return [("Retry-After", format_datetime(until, usegmt=True))]
