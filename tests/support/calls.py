"""The calls that a sandbox has received."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import Sandbox, ServedCall


def spent(box: Sandbox) -> Counter[str]:
    """Return the number of calls of each kind; both versions of the details count as one."""
    return Counter("details" if call.kind.startswith("details") else call.kind for call in box.calls)


def feed_requests(box: Sandbox, field: str) -> Iterator[ServedCall]:
    """Yield the feed requests for counts (`testResultChangesCount`) or for changes (`testResultChanges`)."""
    for call in box.calls:
        if any(operation["field"] == field for operation in call.operations):
            yield call
