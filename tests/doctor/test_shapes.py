"""A shape tells what a value is made of, and no part of it; a judge needs cases."""

from __future__ import annotations

from typing import Any

import pytest

from tap_usertesting.doctor.assumption import HOLDS, REFUTED, UNKNOWN
from tap_usertesting.doctor.assumptions import ASSUMPTIONS
from tap_usertesting.doctor.shapes import MOST_FIELDS, Shape, bucket
from tap_usertesting.doctor.vocabulary import Namer

JUDGES = {one.name: one.judge for one in ASSUMPTIONS}


def shape_of(*values: object) -> Any:  # noqa: ANN401 - JSON is anything
    """Return the shape of values that stand in one place."""
    shape, namer = Shape(), Namer()
    for value in values:
        shape.add(value, namer)
    return shape.as_json()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((None,), "null"),
        ((True,), "boolean"),
        ((7, 1.5), "number"),
        (("",), "text of 0"),
        (("a", "long enough"), "text of 11 to 100"),
        ((None, "a"), "null or text of 1"),
        (([],), ["0 of"]),
        (([1, None],), ["2 to 10 of", "null or number"]),
        (({"text": "a", "a@example.org": 1},), {"text": "text of 1", "unknown_1": "number"}),
        (({"name": "a"}, None), {"one of": ["null", {"name": "text of 1"}]}),
        ((), "nothing"),
    ],
)
def test_shapes(values: tuple[object, ...], expected: object) -> None:
    """Types, known names and lengths."""
    assert shape_of(*values) == expected


def test_an_unknown_name_keeps_its_number() -> None:
    """So that a reader sees the same field in two places."""
    found = shape_of({"items": [{"Ada": 1}, {"Bob": {"Ada": 2}}]})
    assert found == {"items": ["2 to 10 of", {"unknown_1": "number", "unknown_2": {"unknown_1": "number"}}]}


def test_a_shape_is_bounded() -> None:
    """An object whose keys are data has many, and nesting may be deep."""
    assert len(shape_of({f"person {number}": 1 for number in range(10_000)})) == MOST_FIELDS
    deep: Any = 1
    for _ in range(90):
        deep = {"meta": deep}
    assert str(shape_of(deep)).count("meta") < 20


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "0"),
        (1, "1"),
        (2, "2 to 10"),
        (10, "2 to 10"),
        (11, "11 to 100"),
        (10_000, "1001 to 10000"),
        (10_001, "over 10000"),
    ],
)
def test_lengths_are_ranges(length: int, expected: str) -> None:
    """An exact length may give a value away."""
    assert bucket(length) == expected


@pytest.mark.parametrize("name", JUDGES)
def test_nothing_seen_is_nothing_told(name: str) -> None:
    """No verdict without evidence."""
    assert JUDGES[name]({}) == UNKNOWN


@pytest.mark.parametrize(
    ("name", "numbers", "verdict"),
    [
        ("ids_are_joined", {"responses": 9, "sessions_listed": 9, "tests_asked": 1, "tests_known": 1}, UNKNOWN),
        ("ids_are_joined", {"responses": 10, "sessions_listed": 9, "tests_asked": 1, "tests_known": 1}, REFUTED),
        ("ids_are_joined", {"responses": 10, "sessions_listed": 9, "sessions_in_both": 1}, HOLDS),
        ("ids_are_joined", {"tests_asked": 3, "sessions_listed": 0}, UNKNOWN),
        ("feed_answers_many", {"tests_asked": 1, "answered_together": 1}, UNKNOWN),
        ("feed_answers_many", {"tests_asked": 5}, UNKNOWN),
        ("feed_has_one_order", {"logs_newest_first": 3, "logs_oldest_first": 1}, REFUTED),
        ("quota_is_10_a_minute", {"limit": 10, "longest_reset_s": 41, "windows": 1}, HOLDS),
        ("quota_is_10_a_minute", {"limit": 10, "longest_reset_s": 41, "windows": 2}, REFUTED),
        ("quota_is_10_a_minute", {"limit": 10, "longest_reset_s": 300, "windows": 1}, REFUTED),
        ("quota_is_one_for_all", {"pairs_together": 1}, UNKNOWN),
        ("list_is_newest_first", {"falling_by_start": 3, "rising_by_finish": 1, "falling_by_finish": 2}, HOLDS),
        ("details_v3_is_served", {"v3_missing": 1}, UNKNOWN),
        ("details_v3_is_served", {"v3_other": 1, "v2_answered": 1}, UNKNOWN),
        ("missing_transcript_is_404", {"missing_404": 4}, UNKNOWN),
        ("answers_fit", {"accepted": 9, "refused": 1}, REFUTED),
    ],
)
def test_verdicts_at_their_bounds(name: str, numbers: dict[str, int], verdict: str) -> None:
    """Where little is known, nothing is claimed."""
    assert JUDGES[name](numbers) == verdict
