"""What is read out of rate-limit headers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tap_usertesting.api.rate_headers import DAY, MOST_NAMED, RateHeaders
from tests.support.fakes import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = RateHeaders()


def in_seconds(seconds: float) -> str:
    """Return an HTTP date so many seconds from EPOCH."""
    return format_datetime(datetime.fromtimestamp(EPOCH, tz=timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, NOTHING, id="none"),
        pytest.param(
            {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "9", "x-ratelimit-reset": "60"},
            RateHeaders(limit=10, remaining=9, reset=60.0),
            id="the documented ones",
        ),
        pytest.param({"x-ratelimit-remaining": "0"}, RateHeaders(remaining=0), id="nothing remains"),
        pytest.param({"x-ratelimit-reset": "0.250"}, RateHeaders(reset=0.25), id="reset with decimals"),
        pytest.param({"x-ratelimit-reset": str(EPOCH + 42)}, RateHeaders(reset=42.0), id="reset as epoch"),
        pytest.param({"x-ratelimit-reset": str(EPOCH - 1)}, NOTHING, id="epoch in the past"),
        pytest.param({"x-ratelimit-reset": str(EPOCH + 99_999)}, RateHeaders(reset=99_999), id="epoch in another day"),
        pytest.param(
            {"x-ratelimit-reset": str((EPOCH + 42) * 1000)}, RateHeaders(reset=42), id="epoch in milliseconds"
        ),
        pytest.param({"x-ratelimit-reset": str((EPOCH + 42) * 1e9)}, RateHeaders(reset=42), id="epoch in nanoseconds"),
        pytest.param(
            {"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(EPOCH + 42)},
            RateHeaders(limit=600, remaining=0, reset=42),
            id="Okta's spelling",
        ),
        pytest.param(
            {"RateLimit-Limit": "10, 10;w=60", "RateLimit-Remaining": "3", "RateLimit-Reset": "42"},
            RateHeaders(limit=10, remaining=3, reset=42),
            id="the draft's spelling",
        ),
        pytest.param({"x-ratelimit-remaining": "7, 7"}, RateHeaders(remaining=7), id="a header joined with its twin"),
        pytest.param({"x-ratelimit-reset": "0"}, NOTHING, id="reset of zero"),
        pytest.param({"x-ratelimit-reset": "-3"}, NOTHING, id="negative reset"),
        pytest.param({"x-ratelimit-reset": "nan"}, NOTHING, id="reset that is no number"),
        pytest.param({"x-ratelimit-reset": "inf"}, NOTHING, id="infinite reset"),
        pytest.param({"x-ratelimit-limit": "0"}, NOTHING, id="limit of zero"),
        pytest.param({"x-ratelimit-limit": "ten"}, NOTHING, id="limit in words"),
        pytest.param({"x-ratelimit-limit": "10.0"}, RateHeaders(limit=10), id="limit with decimals"),
        pytest.param({"x-ratelimit-remaining": "-1"}, NOTHING, id="negative remaining"),
        pytest.param({"retry-after": "17"}, RateHeaders(retry_after=17.0), id="Retry-After in seconds"),
        pytest.param({"retry-after": in_seconds(90)}, RateHeaders(retry_after=90.0), id="Retry-After as a date"),
        pytest.param(
            {"retry-after": in_seconds(90).replace("GMT", "-0000")},
            RateHeaders(retry_after=90.0),
            id="date without a zone",
        ),
        pytest.param({"retry-after": in_seconds(-90)}, NOTHING, id="date in the past"),
        pytest.param({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, NOTHING, id="date of the first minute"),
        pytest.param({"retry-after": in_seconds(86_400)}, RateHeaders(retry_after=86_400), id="date of tomorrow"),
        pytest.param({"retry-after": "Sat, 99 Foo 2026 99:99:99 GMT"}, NOTHING, id="a date that is none"),
        pytest.param({"retry-after": "soon"}, NOTHING, id="Retry-After in words"),
        pytest.param({"retry-after": ""}, NOTHING, id="empty Retry-After"),
        pytest.param({"retry-after": "1e99"}, NOTHING, id="absurd Retry-After"),
        pytest.param({"retry-after": "86400"}, RateHeaders(retry_after=86_400), id="a day is what the server says"),
        pytest.param({"retry-after": str(MOST_NAMED)}, RateHeaders(retry_after=MOST_NAMED), id="a year too"),
        pytest.param({"retry-after": str(MOST_NAMED + 1)}, NOTHING, id="more than a year is nonsense"),
        pytest.param({"retry-after": str(EPOCH + 17)}, RateHeaders(retry_after=17.0), id="Retry-After as epoch"),
    ],
)
def test_headers_are_read_and_nonsense_counts_as_absent(headers: dict[str, str], expected: RateHeaders) -> None:
    """Only what can be true is taken from an answer's headers."""
    assert RateHeaders.parse(CaseInsensitiveDict(headers), wall=EPOCH) == expected


@pytest.mark.parametrize("skew", [0, 1200, -1200, 14 * 3600], ids=str)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param("x-ratelimit-reset", lambda ends: str(EPOCH + ends), id="reset as epoch"),
        pytest.param("x-ratelimit-reset", lambda ends: str((EPOCH + ends) * 1000), id="reset in milliseconds"),
        pytest.param("retry-after", lambda ends: str(EPOCH + ends), id="Retry-After as epoch"),
        pytest.param("retry-after", in_seconds, id="Retry-After as a date"),
    ],
)
def test_a_point_in_time_is_measured_against_the_servers_own_clock(
    skew: float, name: str, form: Callable[[float], str]
) -> None:
    """A server whose clock is 20 minutes, or a time zone, away from ours asks for 42 seconds, and gets 42."""
    rates = RateHeaders.parse({name: form(skew + 42), "date": in_seconds(skew)}, wall=EPOCH)
    assert rates.asked == 42


@pytest.mark.parametrize(
    "date", ["", "today", in_seconds(-3 * DAY), in_seconds(3 * DAY), "Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_a_date_that_makes_no_sense_is_not_measured_against(date: str) -> None:
    """A Date of another day is a server's mistake: our own clock is nearer."""
    rates = RateHeaders.parse({"x-ratelimit-reset": str(EPOCH + 42), "date": date}, wall=EPOCH)
    assert rates.reset == 42


@given(st.dictionaries(st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]), st.text()))
def test_no_header_text_raises(headers: dict[str, str]) -> None:
    """Whatever stands in the headers is read without an error, and never as a number that makes no sense."""
    said = RateHeaders.parse(headers, wall=EPOCH)
    assert said.limit is None or said.limit >= 1
    assert said.remaining is None or said.remaining >= 0
    assert said.reset is None or 0 < said.reset <= MOST_NAMED


@given(st.text())
def test_no_retry_after_raises(text: str) -> None:
    """Whatever stands in Retry-After is read without an error."""
    seconds = RateHeaders.parse({"retry-after": text}, wall=EPOCH).retry_after
    assert seconds is None or 0 < seconds <= MOST_NAMED
