"""Options of the Results API and of the legacy API: pages, totals, versions, charset, further fields."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from tap_usertesting.sandbox.fields import Allowed, at_least, examples


def _is_charset(name: str) -> bool:
    """Tell whether any text can be encoded in a charset, and its name can stand in a header."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        return False
    try:
        codecs.lookup(name)
        "\u2013 \u00e9 ".encode(name, "replace")
    except (LookupError, ValueError):
        return False
    return True


@dataclass(eq=False)
class AnswerOptions:
    """How the Results API and v1 respond. Tests set it, also with ``POST /_sandbox/answers``.

    list_key: the time that orders session lists, newest first: finish, start, or when the session became visible. It
        matters if sessions overlap or appear late.
    list_page: the maximum number of sessions on a page, even if the request asks for more.
    list_total: the totalCount of a list: all sessions, only this page, all sessions as a string, null, or absent.
    details_versions: the versions of session details that the API serves.
    transcript_charset: the charset of transcripts, also in their Content-Type.
    v1_auth: how v1 accepts a token: Authorization: Bearer, or a header named token.
    v1_lower_case: v1 sends types in lower case.
    v1_page: the maximum number of tests on a page of v1.
    v1_in_quota: calls to v1 count against the quota.
    undocumented: additional fields of each workspace, test, session, details, clip and reel.
    """

    list_key: Literal["finish", "start", "visible"] = "finish"
    list_page: Annotated[int, at_least(1)] = field(default=500, metadata=examples(2))
    list_total: Literal["all", "page", "text", "null", "absent"] = field(
        default="all", metadata=examples("page", "text", "null", "absent", list_page=2)
    )
    details_versions: set[Literal["v2", "v3"]] = field(
        default_factory=lambda: {"v2", "v3"}, metadata=examples(["v2"], ["v3"])
    )
    transcript_charset: Annotated[str, Allowed("the name of a charset", _is_charset, alone=True)] = field(
        default="utf-8", metadata=examples("utf-16")
    )
    v1_auth: set[Literal["bearer", "token"]] = field(default_factory=lambda: {"bearer"}, metadata=examples(["token"]))
    v1_lower_case: bool = False
    v1_page: Annotated[int, at_least(1)] = field(default=50, metadata=examples(2))
    v1_in_quota: bool = False
    undocumented: dict[str, Any] = field(default_factory=dict, metadata=examples({"sentimentScore": 0.4}))
