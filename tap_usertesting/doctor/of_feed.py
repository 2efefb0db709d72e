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
        "`feed_url` is the GraphQL endpoint of the feed, and takes the token",
        "an error line, exit 1; the session lists are not used in its place",
        "check `feed_url` and `feed_access_token`, or leave both out: changes then come from the session lists",
        cases(good="answers", bad="failures"),
    ),
    Assumption(
        "ids_are_joined",
        "The feed and the Results API are one system: test `ut_<test id>`, response `ut_response_<session id>`. The "
        "feed is documented by another vendor (Ballpark), no public text joins the two, and the endpoint is not "
        "published",
        "`auto` sees that the ids differ (from 10 responses on), warns once and reads by listing",
        f"{LIST_INSTEAD}; `feed_test_ids` names the feed's own ids for `result_changes`",
        _joined,
    ),
    Assumption(
        "feed_answers_many",
        "The feed answers for many tests in one request",
        "a request that fails as a whole is split, down to one test; errors are read by HTTP status, "
        "`extensions.code` and `path`. What still fails for one test alone is an error with the server's words, exit 1",
        NOTHING,
        _many,
    ),
    Assumption(
        "feed_sends_all",
        "The feed counts results or events, and sends all of them in one answer",
        "an answer with fewer events than the count is asked for again, then an error; nothing is lost",
        LIST_INSTEAD,
        cases(good="logs_whole", bad="logs_cut"),
    ),
    Assumption(
        "feed_has_one_order",
        "The feed's events arrive in one order, oldest or newest first",
        "that test's changes are taken by time, and a warning says so",
        NOTHING,
        _one_order,
    ),
    Assumption(
        "cursor_is_exclusive",
        "`sinceCursor` leaves out the event of the cursor itself",
        "each sync costs one request more, which brings events that it has already read",
        NOTHING,
        cases(good="nothing_since_newest", bad="something_since_newest"),
    ),
    Assumption(
        "unknown_cursor_is_told",
        "A cursor that the feed does not know is an error, or gives the whole log",
        "changes after a cursor that has expired are missed",
        LIST_INSTEAD,
        cases(good=("refused", "whole_log"), bad="answered_with_less"),
    ),
    Assumption(
        "change_types_are_known",
        "The types of changes are the documented ones, or `DELETED`",
        "everything of the session is fetched again",
        NOTHING,
        cases(good="events_of_known_types", bad="events_of_other_types"),
    ),
    Assumption(
        "feed_tells_its_budget",
        "The feed's answers tell its budget, in `extensions.ratelimit`",
        "nothing is held back; a refusal is waited out",
        NOTHING,
        cases(good="answers_that_tell", bad="answers_that_do_not"),
    ),
)
