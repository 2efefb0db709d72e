"""What the tap assumes of the Results API and its token endpoint. Pure."""

from __future__ import annotations

from tap_usertesting.doctor.assumption import HOLDS, REFUTED, UNKNOWN, Assumption, Judge, Numbers, Verdict, cases

DOCUMENTED_LIMIT, MINUTE = 10, 60
NOTHING = "nothing to set"


def _ten_a_minute(numbers: Numbers) -> Verdict:
    """The longest reset is the window if more than one window was met; before that it may have begun in the middle."""
    if not numbers.get("limit", 0) or not numbers.get("longest_reset_s", 0):
        return UNKNOWN
    longest = numbers["longest_reset_s"]
    whole = MINUTE - 1 <= longest <= MINUTE + 1
    part = longest < MINUTE and numbers.get("windows", 0) <= 1
    return HOLDS if numbers["limit"] == DOCUMENTED_LIMIT and (whole or part) else REFUTED


def _one_quota(numbers: Numbers) -> Verdict:
    if numbers.get("pairs_apart", 0):
        return REFUTED
    return HOLDS if numbers.get("pairs_together", 0) > 1 else UNKNOWN


def _served(this: str, other: str) -> Judge:
    """Judge a version of the details: its own 404 tells nothing unless the other version answers for that session."""

    def judge(numbers: Numbers) -> Verdict:
        if numbers.get(f"{this}_answered", 0):
            return HOLDS
        asked = numbers.get(f"{this}_missing", 0)
        return REFUTED if asked and numbers.get(f"{other}_answered", 0) else UNKNOWN

    return judge


def _newest_first(numbers: Numbers) -> Verdict:
    """One key that never rises is enough: the vendor does not name the key."""
    verdicts = []
    for key in ("finish", "start"):
        falling, rising = numbers.get(f"falling_by_{key}", 0), numbers.get(f"rising_by_{key}", 0)
        verdicts.append(REFUTED if rising else HOLDS if falling else UNKNOWN)
    return next((one for one in (HOLDS, UNKNOWN) if one in verdicts), REFUTED)


def _missing_transcript(numbers: Numbers) -> Verdict:
    """A 404 means "not yet" or "none" only where another session's transcript is found with the same token."""
    if numbers.get("missing_otherwise", 0):
        return REFUTED
    return HOLDS if numbers.get("missing_404", 0) and numbers.get("found", 0) else UNKNOWN


OF_RESULTS = (
    Assumption(
        "token_names_its_end",
        "The token endpoint reports how long a token is valid",
        "the tap assumes one hour; it renews the token after a 401 in any case",
        NOTHING,
        cases(good="tokens_with_end", bad="tokens_without_end"),
    ),
    Assumption(
        "quota_is_told",
        "Responses of the Results API have the headers `x-ratelimit-limit`, `-remaining` and `-reset`",
        "the tap assumes 10 calls in 60 s for all endpoints together, and waits after a 429",
        "set `calls_per_minute` if your contract has a limit other than 10",
        cases(good="answers_that_tell", bad="answers_that_do_not"),
    ),
    Assumption(
        "quota_is_10_a_minute",
        "The quota is 10 calls in 60 s",
        "the tap follows the server's headers",
        NOTHING,
        _ten_a_minute,
    ),
    Assumption(
        "quota_is_one_for_all",
        "All endpoints share one quota",
        "the tap learns this from the server's headers; streams then wait for their own endpoint only",
        NOTHING,
        _one_quota,
    ),
    Assumption(
        "details_v3_is_served",
        "Details v3 is available",
        "`session_details_version: auto` uses v2 when v3 returns 404",
        "set `session_details_version` to `v2`",
        _served("v3", "v2"),
    ),
    Assumption(
        "details_v2_is_served",
        "Details v2, which the reference no longer documents, is still available",
        "the tap uses v3, as it does by default",
        "leave `session_details_version` at `auto`",
        _served("v2", "v3"),
    ),
    Assumption(
        "payloads_are_objects",
        "A participant's answer is an object, in v2 and v3, although its fields are not documented",
        "the tap passes it on unchanged; a target may reject it",
        "deselect `session_details` and `task_responses` if your target rejects it",
        cases(good="objects", bad="others"),
    ),
    Assumption(
        "answers_fit",
        "A response with status 200 is complete and belongs to the requested test or session",
        "the tap retries, leaves the rest for a later sync, logs an error and exits with 1",
        "check `api_url`: another server or a proxy may be responding",
        cases(good="accepted", bad="refused"),
    ),
    Assumption(
        "list_is_newest_first",
        "The session list starts with the newest session",
        "the tap reads more pages, up to the number of sessions that the list reports",
        NOTHING,
        _newest_first,
    ),
    Assumption(
        "list_counts_the_test",
        "The session list reports how many sessions the test has",
        "the tap reads pages until one is not full",
        NOTHING,
        cases(good="counts_of_the_test", bad=("counts_of_less", "counts_absent")),
    ),
    Assumption(
        "list_pages_hold_500",
        "A page of the session list has up to 500 sessions",
        "reading the list takes more calls",
        NOTHING,
        cases(good="pages_of_500", bad="pages_of_fewer"),
    ),
    Assumption(
        "offset_is_obeyed",
        "In the session list, `offset` returns the next page",
        "sessions beyond the first page are missing, and an error line says so",
        NOTHING,
        cases(good="next_pages", bad="next_pages_repeated"),
    ),
    Assumption(
        "tests_fit_the_list",
        "No test has more than 10,500 sessions, the most that the list can return",
        "the tap cannot read the rest, and a warning gives their number",
        "use the change feed: the tap then reads every session that the feed names",
        cases(good="tests_that_fit", bad="tests_that_do_not"),
    ),
    Assumption(
        "sessions_have_a_time",
        "Each session in the list has a start time, although `finishTime` can be null",
        "the tap counts a session without a time as finished when the list first shows it",
        NOTHING,
        cases(good="sessions_with_a_time", bad="sessions_without"),
    ),
    Assumption(
        "missing_test_is_404",
        "The list of a test that is missing, not permitted or classic returns 404",
        "a wrong id in `test_ids` looks like a test without sessions, or causes another error",
        "check each id in `test_ids` yourself",
        cases(good="answered_404", bad="answered_otherwise"),
    ),
    Assumption(
        "missing_transcript_is_404",
        '404 on a transcript means "not yet" or "none"',
        "after a 404, the tap requests the transcript again for 7 days, then gives up; any other error is logged, "
        "and the next sync tries again",
        NOTHING,
        _missing_transcript,
    ),
    Assumption(
        "only_speech_has_transcripts",
        "Only think-out-loud tests and live conversations have transcripts",
        "the tap checks five sessions of an interaction test first, and none of a survey",
        "put such a survey in `test_ids`: its type is then unknown, and the tap checks it",
        cases(good="asked_without", bad=("surveys_with", "interactions_with")),
    ),
    Assumption(
        "scores_only_for_interaction",
        "Only interaction tests have QXscores",
        "the tap does not check tests of other types",
        "put such a test in `test_ids`: its type is then unknown, and the tap checks it",
        cases(good="others_without", bad="others_with"),
    ),
    Assumption(
        "reels_tell_of_clips",
        "The list of highlight reels shows in `studyWithClips` whether a test has clips",
        "the tap requests the clips of each session",
        NOTHING,
        cases(good="answers_that_tell", bad="answers_that_do_not"),
    ),
    Assumption(
        "errors_are_json",
        "Errors of the Results API are JSON with a message",
        "error lines show only the status",
        NOTHING,
        cases(good="with_message", bad="without"),
    ),
)
