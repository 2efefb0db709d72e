"""Times: one fixed UTC form, whatever the servers write."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.values.times import earlier, from_epoch, stamp, utc

FIXED = len("2026-01-01T00:00:00.000000Z")
AWARE = st.datetimes(timezones=st.just(timezone.utc))


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        pytest.param("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z", id="seconds"),
        pytest.param("2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600000Z", id="one decimal"),
        pytest.param("2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123000Z", id="milliseconds"),
        pytest.param("2026-01-02T03:04:05,123Z", "2026-01-02T03:04:05.123000Z", id="decimal comma"),
        pytest.param("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z", id="nanoseconds are cut"),
        pytest.param("2026-01-02T03:04:05.999999999Z", "2026-01-02T03:04:05.999999Z", id="never rounded up"),
        pytest.param("2025-10-01T10:37:17.365122+00:00", "2025-10-01T10:37:17.365122Z", id="the feed's form"),
        pytest.param("2025-10-01T10:37:17,365122+00:00", "2025-10-01T10:37:17.365122Z", id="the same with a comma"),
        pytest.param("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z", id="east"),
        pytest.param("2026-01-02T03:04:05-0530", "2026-01-02T08:34:05.000000Z", id="west, no colon"),
        pytest.param("2026-01-02 03:04:05", "2026-01-02T03:04:05.000000Z", id="space, no zone: UTC"),
        pytest.param("2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000Z", id="lower case"),
        pytest.param("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z", id="leap day"),
        pytest.param("2025-02-29T00:00:00Z", None, id="no leap year"),
        pytest.param("2025-10-01T10:37:61.365122+00:00", None, id="the feed's form, no such second"),
        pytest.param("2025-10-01T10:37:17:365122+00:00", None, id="colon before the decimals"),
        pytest.param("2026-01-02T24:00:00Z", None, id="hour 24"),
        pytest.param("2026-01-02", None, id="date alone"),
        pytest.param("20260102T030405Z", None, id="basic format"),
        pytest.param("2026-W01-5T03:04:05Z", None, id="week date"),
        pytest.param("0001-01-01T00:00:00+01:00", None, id="before the first year"),
        pytest.param("9999-12-31T23:59:59-01:00", None, id="after the last year"),
        pytest.param("2026-01-02T03:04:05Z\n", None, id="more behind it"),
        pytest.param("٢٠٢٦-01-02T03:04:05Z", None, id="other digits"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param(1_767_322_800, None, id="number"),
        pytest.param({"at": 1}, None, id="object"),
    ],
)
def test_a_time_takes_the_fixed_form_or_none(text: object, fixed: str | None) -> None:
    """Every ISO time becomes UTC of fixed width, everything else None: never the raw text."""
    assert utc(text) == fixed


@given(AWARE, st.timedeltas(min_value=timedelta(hours=-14), max_value=timedelta(hours=14)))
def test_any_offset_names_the_same_moment(moment: datetime, offset: timedelta) -> None:
    """A time written in any zone of whole minutes comes back as its UTC form."""
    zone = timezone(timedelta(minutes=offset // timedelta(minutes=1)))
    try:
        written = moment.astimezone(zone).isoformat()
    except OverflowError:
        return
    assert utc(written) == stamp(moment)


@given(AWARE, AWARE)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    """The fixed form sorts as the times do, and reading it again changes nothing."""
    assert (stamp(one) < stamp(other)) == (one < other)
    assert utc(stamp(one)) == stamp(one)
    assert len(stamp(one)) == FIXED


@given(st.text())
def test_no_text_raises(text: str) -> None:
    """Whatever a server writes, the answer is the fixed form or None."""
    found = utc(text)
    assert found is None or len(found) == FIXED


@given(st.text(alphabet="0123456789-:T+.,Z ", min_size=32, max_size=32))
def test_no_text_of_the_feeds_length_slips_through(text: str) -> None:
    """The quick way for the feed's own form is as strict as the other."""
    found = utc(text)
    assert found is None or found[19] == "."


@pytest.mark.parametrize(
    ("fixed", "hours", "result"),
    [
        pytest.param("2026-01-02T03:00:00.000000Z", 24, "2026-01-01T03:00:00.000000Z", id="a day"),
        pytest.param("2026-01-02T03:00:00.000000Z", 0, "2026-01-02T03:00:00.000000Z", id="nothing"),
        pytest.param("0001-01-01T01:00:00.000000Z", 2, "0001-01-01T00:00:00.000000Z", id="before the first year"),
        pytest.param("2026-01-02T03:00:00.000000Z", 10**12, "0001-01-01T00:00:00.000000Z", id="longer than time"),
    ],
)
def test_earlier_never_fails(fixed: str, hours: int, result: str) -> None:
    """A lookback of any length ends at the first year at the earliest."""
    assert earlier(fixed, hours=hours) == result


def test_epoch_seconds_take_the_fixed_form() -> None:
    """The start of a run is stamped like any other time."""
    assert from_epoch(1_767_322_800.25) == "2026-01-02T03:00:00.250000Z"
