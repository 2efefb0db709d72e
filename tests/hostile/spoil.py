"""What a server may send instead of what it should: any JSON, a good body with wrong parts, bytes of any kind."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples at each run, so that a red suite is the code's doing; HOSTILE_EXAMPLES=2000 looks for new ones.
FUZZ = settings(
    max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "50")),
    derandomize="HOSTILE_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# For examples that are a whole sync each: a third as many, and a failing one is not made smaller.
SYNCS = settings(FUZZ, max_examples=max(1, FUZZ.max_examples // 3), phases=[Phase.explicit, Phase.generate])

NASTY_IDS = [
    "../../admin",
    "..",
    "a/b",
    "a b",
    "%2e%2e%2f",
    "a\x00b",
    "a\nb",
    "\ud800",
    "x" * 10_000,
    "?a=b",
    "#",
    "\u0663",
    "\x1b[31m",
    " ",
]
_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [*NASTY_IDS, "NaN", "1e999", "9" * 400, "true", "2026-13-45T99:99:99Z", "2025-W40-3T10:37:17.365122+00:00"]
    ),
)
_NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, -(2**64), 10**400, 1e308, -0.0]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=8,
)
NOT_JSON = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b"0",
            b'"',
            b"\xff\xfe",
            b"<!doctype html><html></html>",
            b"{" * 100_000,
            b"[" * 5_000 + b"]" * 5_000,
            b'{"a":' * 600 + b"1e400" + b"}" * 600,
            b"1" * 100_000,
            b'{"a": 1}' * 2,
            "\ufeff{}".encode(),
            "{}".encode("utf-16"),
        ]
    ),
)


def encode(body: object) -> bytes:
    """Return JSON as a server may write it, lone surrogates escaped."""
    return json.dumps(body).encode()


@st.composite
def spoiled(draw: st.DrawFn, good: Any) -> bytes:  # noqa: ANN401 - JSON is anything
    """Return a good body with one to three of its parts replaced, doubled, left out or buried."""
    body = {"": deepcopy(good)}
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(body))
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        how = draw(st.sampled_from(["replace", "replace", "replace", "drop", "double", "bury"]))
        if how == "replace":
            holder[key] = draw(JSON)
        elif how == "bury":
            for _ in range(draw(st.sampled_from([1, 90, 250]))):
                holder[key] = [holder[key]]
        elif how == "double" and isinstance(holder, list):
            holder.append(holder[key])
        elif holder is not body:
            del holder[key]
    return encode(body[""])


def bodies(good: Any) -> st.SearchStrategy[bytes]:  # noqa: ANN401 - JSON is anything
    """Return what may come instead of a good body."""
    return st.one_of(spoiled(good), spoiled(good), spoiled(good), JSON.map(encode), NOT_JSON)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON is anything
    """Yield every place of a JSON value as its holder and its key or index."""
    todo = [node]
    while todo:
        holder = todo.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                todo.append(holder[key])
