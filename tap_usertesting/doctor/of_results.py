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
        "The token endpoint says how long a token lives",
        "an hour is assumed; a 401 renews the token in any case",
        NOTHING,
        cases(good="tokens_with_end", bad="tokens_without_end"),
    ),
    Assumption(
        "quota_is_told",
        "The answers of the Results API carry `x-ratelimit-limit`, `-remaining` and `-reset`",
        "10 calls in 60 s are assumed for all endpoints together; a 429 is waited out",
        "set `calls_per_minute`, if your contract says another number than 10",
        cases(good="answers_that_tell", bad="answers_that_do_not"),
    ),
    Assumption(
        "quota_is_10_a_minute",
        "The quota is 10 calls in 60 s",
        "the server's headers are obeyed",
        NOTHING,
        _ten_a_minute,
    ),
    Assumption(
        "quota_is_one_for_all",
        "The quota holds for all endpoints together",
        "the server's headers tell, and streams wait for their own endpoint only",
        NOTHING,
        _one_quota,
    ),
    Assumption(
        "details_v3_is_served",
        "Details v3 is served",
        "`session_details_version: auto` asks v2 when v3 answers 404",
        "set `session_details_version` to `v2`",
        _served("v3", "v2"),
    ),
    Assumption(
        "details_v2_is_served",
        "Details v2, which the reference no longer names, is still served",
        "v3 is asked, as by default",
        "leave `session_details_version` at `auto`",
        _served("v2", "v3"),
    ),
    Assumption(
        "payloads_are_objects",
        "What a participant answered is an object, in v2 and v3, although its fields are not documented",
        "it is passed on as it is, and a target may refuse it",
        "deselect `session_details` and `task_responses` if your target does",
        cases(good="objects", bad="others"),
    ),
    Assumption(
        "answers_fit",
        "An answer with status 200 is complete, and about the test or session that was asked for",
        "it is tried again, then waits for a later sync, with an error line and exit 1",
        "check `api_url`: another server or a proxy may answer",
        cases(good="accepted", bad="refused"),
    ),
    Assumption(
        "list_is_newest_first",
        "The session list begins with the newest",
        "more pages are read, up to the number that the list names",
        NOTHING,
        _newest_first,
    ),
    Assumption(
        "list_counts_the_test",
        "The session list says how many sessions the test has",
        "pages are read until one is not full",
        NOTHING,
        cases(good="counts_of_the_test", bad=("counts_of_less", "counts_absent")),
    ),
    Assumption(
        "list_pages_hold_500",
        "A page of the session list has up to 500 sessions",
        "the list costs more calls",
        NOTHING,
        cases(good="pages_of_500", bad="pages_of_fewer"),
    ),
    Assumption(
        "offset_is_obeyed",
        "The session list goes on at `offset`",
        "what the first page lacks is missing, and an error line says so",
        NOTHING,
        cases(good="next_pages", bad="next_pages_repeated"),
    ),
    Assumption(
        "tests_fit_the_list",
        "No test has more sessions than the list can reach, which is 10,500",
        "the rest is not read, and a warning counts it",
        "with the feed, all sessions that it names are read",
        cases(good="tests_that_fit", bad="tests_that_do_not"),
    ),
    Assumption(
        "sessions_have_a_time",
        "Each session in the list has a start time, though `finishTime` may be null",
        "a session without a time counts as finished when it is first listed",
        NOTHING,
        cases(good="sessions_with_a_time", bad="sessions_without"),
    ),
    Assumption(
        "missing_test_is_404",
        "The list of a test that is missing, not permitted or classic answers 404",
        "a wrong `test_ids` shows as a test without sessions, or as another error",
        "check each of `test_ids` yourself",
        cases(good="answered_404", bad="answered_otherwise"),
    ),
    Assumption(
        "missing_transcript_is_404",
        '404 on a transcript means "not yet" or "none"',
        "a 404 is asked again for 7 days, then given up; any other error is one line, and asked again in the next sync",
        NOTHING,
        _missing_transcript,
    ),
    Assumption(
        "only_speech_has_transcripts",
        "Transcripts exist for think-out-loud tests and live conversations only",
        "of an interaction test, five sessions are asked first; of a survey, none",
        "name such a survey in `test_ids`, then its type is unknown and it is asked",
        cases(good="asked_without", bad=("surveys_with", "interactions_with")),
    ),
    Assumption(
        "scores_only_for_interaction",
        "QXscores exist for interaction tests only",
        "a test of another type is not asked",
        "name such a test in `test_ids`, then its type is unknown and it is asked",
        cases(good="others_without", bad="others_with"),
    ),
    Assumption(
        "reels_tell_of_clips",
        "The list of highlight reels tells whether a test has clips, in `studyWithClips`",
        "each session is asked for its clips",
        NOTHING,
        cases(good="answers_that_tell", bad="answers_that_do_not"),
    ),
    Assumption(
        "errors_are_json",
        "Errors of the Results API are JSON with a message",
        "an error line names the status alone",
        NOTHING,
        cases(good="with_message", bad="without"),
    ),
)
