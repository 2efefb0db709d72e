"""`--doctor`: tries all assumptions in a few calls, and writes the report."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from tap_usertesting.api.auth import read_token
from tap_usertesting.api.errors import ApiError, BudgetSpentError, MalformedError, RunEndsError
from tap_usertesting.doctor.assumption import REFUTED
from tap_usertesting.doctor.probe_feed import FeedProbe
from tap_usertesting.doctor.probe_legacy import probe_legacy
from tap_usertesting.doctor.probe_results import note_errors, probe_results
from tap_usertesting.doctor.probes import Examination
from tap_usertesting.doctor.quota_facts import quota_numbers
from tap_usertesting.doctor.report import Report
from tap_usertesting.doctor.witness import FEED, LEGACY, TOKEN, Witness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_usertesting.api.call import Service
    from tap_usertesting.api.redaction import Secrets
    from tap_usertesting.api.transport_hooks import Hooks, Wait
    from tap_usertesting.sync.context import SyncContext

MOST_CALLS = 15  # of the Results API, v2 and v3
OTHER_CALLS = frozenset({TOKEN, FEED, *LEGACY, "429"})  # counts of the transport that are none of these calls
LOGGED_WAIT = 5.0  # seconds; a shorter wait is not logged

root = logging.getLogger("tap-usertesting")
logger = logging.getLogger("tap-usertesting.doctor")


class Host(Protocol):
    """The tap, which knows how a run ends."""

    def abort_on(self, error: ApiError, line: str) -> NoReturn:
        """End the run on an error that every other call would meet as well."""


def diagnose(context: SyncContext, *, host: Host, given: Mapping[str, Any], secrets: Secrets) -> int:
    """Write the report to standard output and a table to standard error; returns the exit status.

    `given`: the settings as the user gave them, of which the report has the names.
    """
    secrets.withholds_words = True
    try:
        with _own_log_only():
            examination = _examine(context)
    except RunEndsError as error:
        host.abort_on(error, f"doctor: {error}")
    context.progress.close()
    report = Report(
        examination, date=context.now[:10], settings=[name for name, value in given.items() if value is not None]
    )
    try:
        sys.stdout.write(f"{report.as_json()}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's flush fails too
    sys.stderr.write(f"{report.as_table()}\n")
    return 1 if REFUTED in report.verdicts.values() else 0


def _examine(context: SyncContext) -> Examination:
    clients, settings = context.clients, context.settings
    witness = Witness(clock=clients.transport.clock)
    examination = Examination(clients, settings, witness)
    clients.transport.be_quick()
    clients.transport.waiting.hooks = _watched(context, witness)
    has_access = settings.access_token is not None or settings.client_id is not None
    if has_access:
        logger.info("doctor: checking the legacy API")
        probe_legacy(examination)
    feed = None if clients.feed is None else FeedProbe(examination, clients.feed)
    counts: dict[str, int] = {}
    if feed is not None:
        logger.info("doctor: checking the change feed")
        counts = feed.count()
    if has_access:
        logger.info("doctor: checking the Results API with at most %d calls", MOST_CALLS)
        probe_results(examination, now=context.now, counts=counts)
        _say_what_is_missing(examination)
    if feed is not None:
        feed.compare(examination.lists)
    note_errors(examination)
    examination.numbers.update(quota_numbers(witness.results))
    _note_tokens(examination)
    return examination


def _say_what_is_missing(examination: Examination) -> None:
    """Log why most of the report is empty, if it is: otherwise its exit status looks like a good sign."""
    if not examination.tests:
        logger.warning("doctor: found no test, so most of the report is empty; set test_ids")
    elif not examination.lists:
        logger.warning(
            "doctor: could not read any session list, so most of the report is empty; check test_ids, and whether the "
            "credentials' user is a member of the workspace"
        )


def _note_tokens(examination: Examination) -> None:
    numbers = examination.numbers["token_names_its_end"]
    for seen in examination.witness.of(TOKEN):
        try:
            _, lifetime = read_token(seen.body)
        except MalformedError:
            continue
        numbers["tokens_without_end" if lifetime is None else "tokens_with_end"] += 1


def _watched(context: SyncContext, witness: Witness) -> Hooks:
    """Return the hooks of a sync, which also show each answer to the witness and bound the calls."""
    hooks, calls = context.clients.transport.waiting.hooks, context.clients.transport.calls
    before_call, before_wait, results = hooks.before_call, hooks.before_wait, context.clients.results_service

    def check(service: Service) -> None:
        made = sum(number for label, number in calls.items() if label not in OTHER_CALLS)
        if service is results and made >= MOST_CALLS:
            message = f"all {MOST_CALLS} calls are used"
            raise BudgetSpentError(message)
        before_call(service)

    def say(wait: Wait) -> None:
        before_wait(wait)
        if wait.seconds > LOGGED_WAIT:
            logger.info("doctor: waiting %.0f s (%s)", wait.seconds, wait.reason)

    hooks.before_call, hooks.before_wait, hooks.after_answer = check, say, witness.note
    return hooks


@contextmanager
def _own_log_only() -> Iterator[None]:
    """Silence what the clients log, which may name ids; errors that end the run are still written."""
    levels = root.level, logger.level
    logger.setLevel(logger.getEffectiveLevel())
    root.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.setLevel(levels[0])
        logger.setLevel(levels[1])
