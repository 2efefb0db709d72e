"""What a sync hangs on the transport: it is told of calls and waits, and may end the run before each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.answer import Answer
    from tap_usertesting.api.call import Call, Service
    from tap_usertesting.api.turns import Rank

Reason: TypeAlias = Literal["quota", "retry"]  # the window is used up, or a fault happened


@dataclass(frozen=True)
class Wait:
    """How long nothing is sent, and why. `service`: its name."""

    seconds: float
    reason: Reason
    service: str


@dataclass
class Hooks:
    """What happens around calls and waits. Each hook may raise, which ends the call."""

    before_call: Callable[[Service], None] = lambda _service: None
    after_answer: Callable[[Call, Answer], None] = lambda _call, _answer: None  # of any status, before it is read
    before_wait: Callable[[Wait], None] = lambda _wait: None
    checkpoint: Callable[[], None] = lambda: None  # before each call and each nap: ends the run if a signal has come
    nap: Callable[[float], float] = lambda left: left  # of the seconds left to wait, how many to sleep at once
    scarce: Callable[[Service], bool] = lambda _service: False  # whether the run has a budget of calls
    rank: Callable[[Call], Rank] = lambda _call: ()  # how urgent a call is; less is more urgent
