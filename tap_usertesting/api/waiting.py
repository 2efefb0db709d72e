"""All waiting: for quota, for the calls of other streams that go first, and before another try.

Here other streams get their turn. Where there is one thread, `idle` is true while it waits or its request is on the
wire: only then may a termination handler end the process at once.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tap_usertesting.api.call import origin_of
from tap_usertesting.api.errors import BadRequestError, LongWaitError
from tap_usertesting.api.quota_learned import LONGEST_WAIT
from tap_usertesting.api.quota_window import POLL
from tap_usertesting.api.transport_hooks import Hooks, Reason, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.api.call import Call
    from tap_usertesting.api.clock import Clock
    from tap_usertesting.api.redaction import Secrets
    from tap_usertesting.api.turns import Turns

ANNOUNCED = 0.01  # seconds by which a wait may turn out longer and still be the one that was announced


class Waiting:
    """Lets a stream wait, and the others run meanwhile."""

    def __init__(self, *, clock: Clock, turns: Turns, secrets: Secrets) -> None:
        """Each token that is fetched is added to `secrets`."""
        self.hooks = Hooks()
        self.idle = False
        self.waited: defaultdict[str, float] = defaultdict(float)  # seconds, by reason
        self._counted = 0.0  # until when `waited` has counted: streams wait at the same time
        self._clock = clock
        self._turns = turns
        self._secrets = secrets

    def until_due(self, call: Call) -> str:
        """Wait until the call may be sent; returns the token for it, "" if its service needs none.

        Other streams run during a wait, and while a token is fetched. They may use up the quota, so each of these is
        followed by another look at it. Raises LongWaitError, and BadRequestError if the token would go to another
        host than that of the service.
        """
        service, announced = call.service, 0.0
        while True:
            self.hooks.before_call(service)
            window = service.windows.of(call.endpoint)
            self._turns.want(window, self.hooks.rank(call))
            if (seconds := self.bearable(call, service.windows.wait(call.endpoint))) > 0:
                ends = self._clock.monotonic() + seconds
                if ends > announced + ANNOUNCED:
                    self.hooks.before_wait(Wait(seconds, "quota", service.name))
                    announced = ends
                # A short wait for the answer of a call on the wire is none for quota.
                is_used_up = window.remaining == 0 or seconds > POLL * window.window
                self._nap(seconds, "quota", counts=is_used_up)
            elif (seconds := self._turns.wait(window, scarce=self.hooks.scarce(service))) > 0:
                self._turns.sleep(seconds)
            elif (token := self._token(call)) is not None:
                return token

    def _token(self, call: Call) -> str | None:
        """Return the token for a call, "" if it needs none; None if others have called while it was fetched."""
        service = call.service
        if service.auth is None:
            return ""
        if origin_of(call.url) != service.origin:
            message = f"{service.name}: the tap sends the token only to the host in {service.setting}"
            raise BadRequestError(message)
        calls = service.calls
        token = service.auth.token()  # after the wait, because a token may end during one
        self._secrets.keep(token)
        return token if service.calls == calls else None

    @contextmanager
    def on_the_wire(self) -> Iterator[None]:
        """Let the other streams run inside, while a request is on the wire."""
        self.idle = True
        try:
            self.hooks.checkpoint()  # a signal that came before `idle` was set has only left a flag
            with self._turns.released():
                yield
        finally:
            self.idle = False

    def before_retry(self, call: Call, seconds: float) -> None:
        """Wait before another try."""
        self.hooks.before_wait(Wait(seconds, "retry", call.service.name))
        ends = self._clock.monotonic() + seconds
        while (left := ends - self._clock.monotonic()) > 0:
            self._nap(left, "retry")

    def bearable(self, call: Call, seconds: float) -> float:
        """Return a wait; raises LongWaitError if it is too long for a run.

        `Quota` believes such a wait only once the server has asked for it twice.
        """
        if seconds < LONGEST_WAIT:
            return seconds
        until = datetime.fromtimestamp(self._clock.wall() + seconds, tz=timezone.utc)
        message = f"{call.service.name}: the server asks to wait until {until:%Y-%m-%d %H:%M} UTC ({seconds:.0f} s)"
        raise LongWaitError(message, setting=call.service.setting)

    def _nap(self, left: float, reason: Reason, *, counts: bool = True) -> None:
        """Wait for a while, at most `left` seconds. `counts`: the time counts as waited."""
        nap = self.hooks.nap(left)
        began = self._clock.monotonic()
        self.idle = True
        try:
            self.hooks.checkpoint()
            (self._turns.sleep if reason == "quota" else self._turns.sleep_through)(nap)
        finally:
            self.idle = False
        ended = self._clock.monotonic()
        if not counts:
            return
        self.waited[reason] += max(0.0, ended - max(began, self._counted))
        self._counted = max(ended, self._counted)
