"""Servers that break one assumption each, or that look as if they did, and what the doctor has to say of each."""

from __future__ import annotations

from typing import NamedTuple

from tap_usertesting.doctor.assumptions import ASSUMPTIONS
from tap_usertesting.sandbox import QuotaRule
from tap_usertesting.sandbox.variant import Variant

ALL = {one.name for one in ASSUMPTIONS}
LEGACY = {name for name in ALL if name.startswith("legacy")}
OF_EVENTS = {"feed_sends_all", "feed_has_one_order", "cursor_is_exclusive", "unknown_cursor_is_told"}
OF_EVENTS |= {"change_types_are_known"}
OF_FEED = {*OF_EVENTS, "feed_is_there", "ids_are_joined", "feed_answers_many", "feed_tells_its_budget"}
# What is known without a test to ask about.
WITHOUT_TESTS = {"token_names_its_end", "missing_test_is_404", "errors_are_json"}
# What is known where each answer is about something else.
OF_OTHERS = {"answers_fit", "missing_test_is_404", "token_names_its_end", "quota_is_told", "quota_is_10_a_minute"}


class Case(NamedTuple):
    """A variant, the assumptions that it refutes, and those of which nothing can be told."""

    variant: Variant
    refuted: set[str] = set()  # noqa: RUF012 - never changed
    untold: set[str] = set()  # noqa: RUF012 - never changed


CASES = {
    "as documented": Case(Variant()),
    "no quota": Case(Variant(quota=None), {"quota_is_10_a_minute"}),
    "30 calls a minute": Case(Variant(quota=QuotaRule(limit=30)), {"quota_is_10_a_minute"}),
    "10 calls in half a minute": Case(Variant(quota=QuotaRule(window=30)), {"quota_is_10_a_minute"}),
    "a quota that is not told": Case(
        Variant(quota=QuotaRule(headers=False)), {"quota_is_told"}, {"quota_is_10_a_minute", "quota_is_one_for_all"}
    ),
    "a quota in a sliding window": Case(Variant(quota=QuotaRule(kind="sliding"))),
    "a quota for each endpoint": Case(Variant(quota=QuotaRule(scope="endpoint")), {"quota_is_one_for_all"}),
    "a quota for each version": Case(Variant(quota=QuotaRule(scope="version")), {"quota_is_one_for_all"}),
    "a token without an end": Case(Variant(token_end=False), {"token_names_its_end"}),
    "the oldest session first": Case(Variant(list_order="oldest_first"), {"list_is_newest_first"}),
    "sessions in no order": Case(Variant(list_order="mixed"), {"list_is_newest_first"}),
    "pages of 3 sessions": Case(Variant(list_page=3), {"list_pages_hold_500"}),
    "a count of the page": Case(
        Variant(list_page=3, list_total="page"), {"list_pages_hold_500", "list_counts_the_test"}
    ),
    "no count": Case(Variant(list_total="absent"), {"list_counts_the_test"}, {"tests_fit_the_list"}),
    "an offset without effect": Case(Variant(list_offset=False), {"offset_is_obeyed"}),
    "sessions without times": Case(Variant(session_times=False), {"sessions_have_a_time"}, {"list_is_newest_first"}),
    "a test of 10,501 sessions": Case(Variant(sessions=10_501), {"tests_fit_the_list"}),
    "no v3": Case(Variant(details=("v2",)), {"details_v3_is_served"}),
    "no v2": Case(Variant(details=("v3",)), {"details_v2_is_served"}),
    "no details": Case(
        Variant(details=()), untold={"details_v2_is_served", "details_v3_is_served", "payloads_are_objects"}
    ),
    "answers that are texts": Case(Variant(payloads="texts"), {"payloads_are_objects"}),
    "answers about others": Case(
        Variant(answers="another"),
        {"answers_fit", "missing_test_is_404"},
        ALL - OF_OTHERS - LEGACY - (OF_FEED - {"ids_are_joined"}),
    ),
    "403 for a missing test": Case(Variant(missing_test=403), {"missing_test_is_404"}),
    "200 for a missing test": Case(Variant(missing_test=200), {"missing_test_is_404"}),
    # Each is asked for twice, as it may be a fault, so no call is left for the reels.
    "204 for a missing transcript": Case(
        Variant(missing_transcript=204), {"missing_transcript_is_404"}, {"reels_tell_of_clips"}
    ),
    "403 for a missing transcript": Case(Variant(missing_transcript=403), {"missing_transcript_is_404"}),
    "an empty transcript": Case(Variant(missing_transcript=200), {"missing_transcript_is_404"}),
    "transcripts of all tests": Case(
        Variant(transcripts="of_all"), {"only_speech_has_transcripts"}, {"missing_transcript_is_404"}
    ),
    "404 for each transcript": Case(Variant(transcripts="of_none"), untold={"missing_transcript_is_404"}),
    "scores of all tests": Case(Variant(scores="of_all"), {"scores_only_for_interaction"}),
    "scores of no test": Case(Variant(scores="of_none")),
    "reels that tell nothing": Case(Variant(reels_tell=False), {"reels_tell_of_clips"}),
    "errors in HTML": Case(Variant(errors="HTML"), {"errors_are_json"}),
    "a legacy API that wants the other header": Case(Variant(legacy="token"), {"legacy_takes_bearer"}),
    "a legacy API that refuses the token": Case(
        Variant(legacy="refused"),
        {"legacy_takes_bearer", "legacy_api_is_served"},
        ALL - WITHOUT_TESTS - {"legacy_takes_bearer", "legacy_api_is_served"},
    ),
    "no legacy API": Case(
        Variant(legacy="gone"), {"legacy_api_is_served"}, ALL - WITHOUT_TESTS - {"legacy_api_is_served"}
    ),
    "pages without an after": Case(Variant(legacy_after=False), {"legacy_pages_by_after"}),
    "pages of 60 tests": Case(Variant(legacy_page=60, tests=60), {"legacy_pages_hold_50"}),
    "pages of 3 tests": Case(Variant(legacy_page=3)),
    "types in lower case": Case(Variant(legacy_types="lower")),
    "other types of tests": Case(
        Variant(legacy_types="other"), {"legacy_types_are_known"}, ALL - WITHOUT_TESTS - LEGACY
    ),
    "no feed there": Case(Variant(feed="gone"), {"feed_is_there"}, OF_FEED - {"feed_is_there"}),
    "no feed set": Case(Variant(feed="unset"), untold=OF_FEED),
    "a feed that knows no test": Case(Variant(feed_tests="unknown"), {"ids_are_joined"}, OF_EVENTS),
    "a feed of other sessions": Case(Variant(feed_responses="other"), {"ids_are_joined"}),
    "one test in a request": Case(Variant(feed_most_tests=1), {"feed_answers_many"}),
    "4 tests in a request": Case(Variant(feed_most_tests=4), {"feed_answers_many"}),
    "one event of each test": Case(Variant(feed_cap=1), {"feed_sends_all"}, {"feed_has_one_order"}),
    "5 events, all counted": Case(Variant(feed_cap=5, feed_counts="events"), {"feed_sends_all"}),
    "events counted": Case(Variant(feed_counts="events")),
    "the oldest event first": Case(Variant(feed_order="oldest_first")),
    "events in no order": Case(Variant(feed_order="mixed"), {"feed_has_one_order"}),
    "cursors that include themselves": Case(Variant(feed_cursor="inclusive"), {"cursor_is_exclusive"}),
    "silence after an unknown cursor": Case(Variant(feed_unknown_cursor="nothing"), {"unknown_cursor_is_told"}),
    "other types of changes": Case(Variant(feed_types="other"), {"change_types_are_known"}),
    "a budget that is not told": Case(Variant(feed_budget=False), {"feed_tells_its_budget"}),
}
