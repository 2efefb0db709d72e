"""Makes a variant of the report that ``tap-usertesting --doctor`` writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox.quota import QuotaRule
from tap_usertesting.sandbox.variant import Variant

if TYPE_CHECKING:
    from pathlib import Path

    from tap_usertesting.sandbox.requests_and_replies import Json

FORM = "tap-usertesting doctor 1"
VERDICTS = ("holds", "refuted", "could not tell")
_UNLIMITED = 1_000_000  # a limit from which on there is none
_MOST_SESSIONS, _MOST_TESTS = 10_600, 500  # to make up; more would show nothing else
_STATUSES_OF_TESTS = (200, 403, 404)  # for what is missing
_STATUSES_OF_TRANSCRIPTS = (200, 204, 403, 404)
_FORBIDDEN = 403


class ReportError(Exception):
    """A file is no report; the message says why."""


def read_report(path: Path) -> Json:
    """Return the report in a file. Raises ReportError if it holds none."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ReportError("it is not JSON") from error
    if not isinstance(report, dict) or report.get("report") != FORM:
        raise ReportError(f'it is not a report of the doctor, which begins with "report": "{FORM}"')
    return report


class Findings:
    """The verdicts and numbers of a report. What is missing counts as not refuted and as none."""

    def __init__(self, report: Json) -> None:
        """Check the parts that are used. Raises ReportError."""
        found = report.get("assumptions")
        if not isinstance(found, dict) or not found:
            raise ReportError("it has no assumptions")
        self.refuted: set[str] = set()
        self._numbers: dict[str, dict[str, int]] = {}
        for name, entry in found.items():
            evidence = entry.get("evidence", {}) if isinstance(entry, dict) else None
            if not isinstance(evidence, dict) or not all(_is_count(number) for number in evidence.values()):
                raise ReportError(f"its assumption {name} has no evidence in numbers")
            if entry.get("verdict") not in VERDICTS:
                raise ReportError(f"its assumption {name} has no verdict of {', '.join(VERDICTS)}")
            self._numbers[name] = evidence
            if entry.get("verdict") == "refuted":
                self.refuted.add(name)
        quota, settings = report.get("quota"), report.get("settings")
        if not isinstance(quota, dict) or not isinstance(settings, list):
            raise ReportError("it has no quota or no settings")
        self.scope = quota.get("scope")
        self.has_feed = "feed_url" in settings

    def number(self, name: str, what: str) -> int:
        """Return a number of the evidence for an assumption."""
        return self._numbers.get(name, {}).get(what, 0)


def variant_of(report: Json) -> Variant:
    """Return the variant that answers as the server of a report did. Raises ReportError."""
    found = Findings(report)
    return Variant(**_of_token_and_quota(found), **_of_results(found), **_of_legacy(found), **_of_feed(found))


def _of_token_and_quota(found: Findings) -> dict[str, Any]:
    size = "quota_is_10_a_minute"
    limit, window = found.number(size, "limit"), found.number(size, "longest_reset_s")
    if size not in found.refuted:  # then the longest reset may be that of a window that had begun before
        limit, window = QuotaRule.limit, 0
    known = {"shared": "shared", "version": "version", "endpoint": "endpoint"}
    rule = QuotaRule(
        limit=limit or QuotaRule.limit,
        window=window or QuotaRule.window,
        scope=known.get(found.scope, QuotaRule.scope),  # type: ignore[arg-type]
        headers="quota_is_told" not in found.refuted,
    )
    return {
        "token_end": "token_names_its_end" not in found.refuted,
        "quota": None if limit >= _UNLIMITED else rule,
    }


def _of_results(found: Findings) -> dict[str, Any]:
    number, refuted = found.number, found.refuted
    order = "list_is_newest_first"
    falls, rises = (number(order, f"{way}_by_finish") for way in ("falling", "rising"))
    counts = "list_counts_the_test"
    total = "absent" if number(counts, "counts_absent") else "page" if number(counts, "counts_of_less") else "all"
    page = number("list_pages_hold_500", "longest_page")
    gone = {one for one in ("v2", "v3") if number("details_v3_is_served", f"{one}_missing")}
    transcripts, scores = "by_type", "by_type"
    speech, missing = "only_speech_has_transcripts", "missing_transcript_is_404"
    if speech in refuted:
        transcripts = "of_all"
    elif number(missing, "missing_404") and not number(missing, "found"):
        transcripts = "of_none"
    if "scores_only_for_interaction" in refuted:
        scores = "of_all"
    elif number("scores_only_for_interaction", "interactions_without"):
        scores = "of_none"
    return {
        "list_order": "newest_first" if order not in refuted else "mixed" if falls and rises else "oldest_first",
        "list_page": max(1, page) if "list_pages_hold_500" in refuted else Variant.list_page,
        "list_total": total,
        "list_offset": "offset_is_obeyed" not in refuted,
        "session_times": "sessions_have_a_time" not in refuted,
        "sessions": _needed(found, "tests_fit_the_list", "most_sessions", _MOST_SESSIONS),
        "details": tuple(one for one in Variant.details if one not in gone),
        "payloads": "texts" if "payloads_are_objects" in refuted else "objects",
        "answers": "another" if "answers_fit" in refuted else "asked",
        "missing_test": _status(found, "missing_test_is_404", _STATUSES_OF_TESTS),
        "missing_transcript": _status(found, missing, _STATUSES_OF_TRANSCRIPTS),
        "transcripts": transcripts,
        "scores": scores,
        "reels_tell": "reels_tell_of_clips" not in refuted,
        "errors": "HTML" if "errors_are_json" in refuted else "JSON",
    }


def _needed(found: Findings, name: str, what: str, most: int) -> int:
    """Return how many are needed to show that an assumption is refuted; none if it is not."""
    return min(found.number(name, what), most) if name in found.refuted else 0


def _status(found: Findings, name: str, known: tuple[int, ...]) -> int:
    """Return the status for what is missing; one that the sandbox does not have is 403."""
    if name not in found.refuted:
        return 404
    status = found.number(name, "status")
    return status if status in known else _FORBIDDEN


def _of_legacy(found: Findings) -> dict[str, Any]:
    number, refuted = found.number, found.refuted
    header, types, pages = "legacy_takes_bearer", "legacy_types_are_known", "legacy_pages_hold_50"
    legacy = "bearer"
    if number(header, "token_header_accepted"):
        legacy = "token"
    elif header in refuted:
        legacy = "refused"
    elif number("legacy_api_is_served", "lists_failed") and not number("legacy_api_is_served", "lists_read"):
        legacy = "gone"
    words = "lower" if number(types, "in_lower_case") else "upper"
    longest, more = number(pages, "longest_page"), number("legacy_pages_by_after", "next_pages_with_more")
    is_own = pages in refuted or bool(more)
    return {
        "legacy": legacy,
        "legacy_after": "legacy_pages_by_after" not in refuted,
        "legacy_page": max(1, min(longest, _MOST_TESTS)) if is_own else Variant.legacy_page,
        "legacy_types": "other" if types in refuted else words,
        "tests": min(longest, _MOST_TESTS) + bool(more) if is_own else 0,
    }


def _of_feed(found: Findings) -> dict[str, Any]:
    number, refuted = found.number, found.refuted
    joined, order, whole = "ids_are_joined", "feed_has_one_order", "feed_sends_all"
    newest, oldest = number(order, "logs_newest_first"), number(order, "logs_oldest_first")
    is_unknown = joined in refuted and not number(joined, "tests_known")
    only_events = number(whole, "counts_of_events") > number(whole, "counts_of_results")
    feed = "gone" if "feed_is_there" in refuted else "served"
    return {
        "feed": feed if found.has_feed else "unset",
        "feed_tests": "unknown" if is_unknown else "joined",
        "feed_responses": "other" if joined in refuted and not is_unknown else "joined",
        "feed_most_tests": 1 if "feed_answers_many" in refuted else None,
        "feed_cap": max(1, number(whole, "longest_log")) if whole in refuted else None,
        "feed_counts": "events" if only_events else "results",
        "feed_order": "mixed" if order in refuted else "oldest_first" if oldest > newest else "newest_first",
        "feed_cursor": "inclusive" if "cursor_is_exclusive" in refuted else "exclusive",
        "feed_unknown_cursor": "nothing" if "unknown_cursor_is_told" in refuted else "error",
        "feed_types": "other" if "change_types_are_known" in refuted else "documented",
        "feed_budget": "feed_tells_its_budget" not in refuted,
    }


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
