"""What the tap assumes of the legacy API, which discovers tests. Pure."""

from __future__ import annotations

from tap_usertesting.doctor.assumption import Assumption, cases

NAME_TESTS = "set `test_ids`"

OF_LEGACY = (
    Assumption(
        "legacy_api_is_served",
        "The legacy API lists workspaces and their tests",
        "without `test_ids` the run ends with one line",
        NAME_TESTS,
        cases(good="lists_read", bad="lists_failed"),
    ),
    Assumption(
        "legacy_takes_bearer",
        "The legacy API takes the token as `Authorization: Bearer`",
        "a header `token` is tried next; `test_ids` goes without that API",
        f"nothing where the header `token` works; else {NAME_TESTS}",
        cases(good="bearer_accepted", bad="bearer_refused"),
    ),
    Assumption(
        "legacy_pages_by_after",
        "A list of the legacy API goes on with `after` and the cursor of its last item",
        "the list ends with its first page, or the run with one line",
        NAME_TESTS,
        cases(good="next_pages", bad=("next_pages_repeated", "next_pages_refused", "full_pages_without_cursor")),
    ),
    Assumption(
        "legacy_pages_hold_50",
        "A page of the legacy API has up to 50 items, or fewer",
        "the list is read until nothing more comes",
        "nothing to set",
        cases(good="pages", bad="pages_over_50"),
    ),
    Assumption(
        "legacy_types_are_known",
        "The types of tests in the legacy API are the documented words, in upper or lower case",
        "tests of another type are not read",
        f"{NAME_TESTS}, if tests are missing",
        cases(good="tests_of_known_types", bad="tests_of_other_types"),
    ),
)
