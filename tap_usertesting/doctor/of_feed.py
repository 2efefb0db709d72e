"""What the tap assumes of the change feed. Pure."""

from __future__ import annotations

from tap_usertesting.doctor.assumption import HOLDS, REFUTED, UNKNOWN, Assumption, Numbers, Verdict, cases

ENOUGH_RESPONSES = 10  # with none of them in the session lists, the ids are not joined
LIST_INSTEAD = "set `change_source` to `listing`"
NOTHING = "nothing to set"


def _joined(numbers: Numbers) -> Verdict:
    """One session in both is proof. Against it: enough responses and none of them listed, or no test that is known."""
    if numbers.get("sessions_in_both", 0):
        return HOLDS
    if numbers.get("responses", 0) >= ENOUGH_RESPONSES and numbers.get("sessions_listed", 0):
        return REFUTED
    asked, known = numbers.get("tests_asked", 0), numbers.get("tests_known", 0)
    return REFUTED if asked and not known and numbers.get("sessions_listed", 0) else UNKNOWN


def _many(numbers: Numbers) -> Verdict:
    """Ask for many at once; only where that fails and one alone is answered, the number is to blame."""
    if numbers.get("answered_together", 0):
        return HOLDS if numbers.get("tests_asked", 0) > 1 else UNKNOWN
    return REFUTED if numbers.get("answered_alone", 0) and numbers.get("tests_asked", 0) > 1 else UNKNOWN


def _one_order(numbers: Numbers) -> Verdict:
    newest, oldest = numbers.get("logs_newest_first", 0), numbers.get("logs_oldest_first", 0)
    if numbers.get("logs_in_no_order", 0) or (newest and oldest):
        return REFUTED
    return HOLDS if newest or oldest else UNKNOWN


OF_FEED = (
    Assumption(
        "feed_is_there",
        "`feed_url` is the GraphQL endpoint of the change feed and accepts the token",
        "the sync logs an error and exits with 1; it does not fall back to the session lists",
        "check `feed_url` and `feed_access_token`, or leave both unset: changes then come from the session lists",
        cases(good="answers", bad="failures"),
    ),
    Assumption(
        "ids_are_joined",
        "The change feed and the Results API use the same ids: test `ut_<test id>`, response "
        "`ut_response_<session id>`. Another vendor (Ballpark) documents the feed, no public document links the "
        "two, and the endpoint is not published",
        "`auto` detects that the ids differ (from 10 responses on), warns once and reads changes by listing",
        f"{LIST_INSTEAD}; for `result_changes`, set `feed_test_ids` to the feed's own ids",
        _joined,
    ),
    Assumption(
        "feed_answers_many",
        "The feed accepts many tests in one request",
        "the tap splits a failed request, down to one test, and reads errors by HTTP status, `extensions.code` "
        "and `path`. If a request for one test still fails, the tap logs the server's message and exits with 1",
        NOTHING,
        _many,
    ),
    Assumption(
        "feed_sends_all",
        "The feed counts results or events, and sends all of them in one response",
        "if a response has fewer events than the count, the tap requests it again, then logs an error; no data is lost",
        LIST_INSTEAD,
        cases(good="logs_whole", bad="logs_cut"),
    ),
    Assumption(
        "feed_has_one_order",
        "The feed sends events in one order, oldest or newest first",
        "the tap orders the changes of that test by time and logs a warning",
        NOTHING,
        _one_order,
    ),
    Assumption(
        "cursor_is_exclusive",
        "`sinceCursor` excludes the event at the cursor",
        "each sync makes one extra request, which returns events that the tap has already read",
        NOTHING,
        cases(good="nothing_since_newest", bad="something_since_newest"),
    ),
    Assumption(
        "unknown_cursor_is_told",
        "If the feed does not know a cursor, it returns an error or the whole log",
        "the tap misses the changes after an expired cursor",
        LIST_INSTEAD,
        cases(good=("refused", "whole_log"), bad="answered_with_less"),
    ),
    Assumption(
        "change_types_are_known",
        "The types of changes are the documented ones or `DELETED`",
        "the tap reads everything of the session again",
        NOTHING,
        cases(good="events_of_known_types", bad="events_of_other_types"),
    ),
    Assumption(
        "feed_tells_its_budget",
        "The feed's responses report its rate limit in `extensions.ratelimit`",
        "the tap does not slow down in advance; it waits when the feed refuses a request",
        NOTHING,
        cases(good="answers_that_tell", bad="answers_that_do_not"),
    ),
)
