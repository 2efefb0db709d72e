"""What the tap assumes of the legacy API, which discovers tests. Pure."""

from __future__ import annotations

from tap_usertesting.doctor.assumption import Assumption, cases

NAME_TESTS = "set `test_ids`"

OF_LEGACY = (
    Assumption(
        "legacy_api_is_served",
        "The legacy API lists workspaces and their tests",
        "without `test_ids`, the run ends with an error line",
        NAME_TESTS,
        cases(good="lists_read", bad="lists_failed"),
    ),
    Assumption(
        "legacy_takes_bearer",
        "The legacy API accepts the token as `Authorization: Bearer`",
        "the tap tries a header `token` next; with `test_ids` it does not need this API",
        f"nothing if the header `token` works, otherwise {NAME_TESTS}",
        cases(good="bearer_accepted", bad="bearer_refused"),
    ),
    Assumption(
        "legacy_pages_by_after",
        "In the legacy API, `after` with the cursor of the last item returns the next page of a list",
        "the list ends after its first page, or the run ends with an error line",
        NAME_TESTS,
        cases(good="next_pages", bad=("next_pages_repeated", "next_pages_refused", "full_pages_without_cursor")),
    ),
    Assumption(
        "legacy_pages_hold_50",
        "A page of the legacy API has at most 50 items",
        "the tap reads the list until a page is empty",
        "nothing to set",
        cases(good="pages", bad="pages_over_50"),
    ),
    Assumption(
        "legacy_types_are_known",
        "The legacy API uses the documented types of tests, in upper or lower case",
        "the tap does not read tests of other types",
        f"{NAME_TESTS} if tests are missing",
        cases(good="tests_of_known_types", bad="tests_of_other_types"),
    ),
)
