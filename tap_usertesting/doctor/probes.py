"""What all probes share: the clients, the evidence, and a bound on the calls."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tap_usertesting.api.errors import ApiError, BudgetSpentError, RunEndsError, ServerFaultError
from tap_usertesting.doctor.witness import OK, Witness

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.config.settings import Settings
    from tap_usertesting.doctor.witness import Seen
    from tap_usertesting.sync.clients import Clients

T = TypeVar("T")
MADE_UP_ID = "00000000-0000-4000-8000-000000000000"
MOST_TESTS = 100  # that the doctor knows of, as many as one request to the feed may ask for


class KnownTest(NamedTuple):
    """A test that can be asked about. `product_type`: in upper case; "" if unknown."""

    test_id: str
    product_type: str = ""
    ordered_at: str = ""  # in the fixed UTC form; "" if unknown


class Listed(NamedTuple):
    """The first page of a test's session list: the ids of its sessions, from the oldest to the newest."""

    test: KnownTest
    session_ids: list[str]
    received: int


@dataclass
class Examination:
    """What the probes use and find out. `numbers`: the evidence, by assumption."""

    clients: Clients
    settings: Settings
    witness: Witness
    numbers: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    tests: list[KnownTest] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)

    def attempt(self, call: Callable[[], T]) -> T | ApiError | None:
        """Return what a call returns, or its error if that concerns this call only; None if no call is left.

        Whether a client takes an answer with status 200 is evidence in itself.
        """
        before = len(self.witness.seen)
        try:
            found = call()
        except BudgetSpentError:
            return None
        except RunEndsError:
            raise
        except ApiError as error:
            last = self.last(before)
            if isinstance(error, ServerFaultError) and last is not None and last.is_results and last.status == OK:
                self.numbers["answers_fit"]["refused"] += 1
            return error
        last = self.last(before)
        if last is not None and last.is_results:
            self.numbers["answers_fit"]["accepted"] += 1
        return found

    def last(self, since: int = 0) -> Seen | None:
        """Return the last answer, if there is one after the first `since`."""
        return self.witness.seen[-1] if len(self.witness.seen) > since else None
