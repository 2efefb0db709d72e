"""What a server says in the body of an error, whichever of the usual shapes the body has. Pure."""

from __future__ import annotations

# A short name, then a sentence; the first pair of which a body has the second part is taken.
_PAIRS = (
    ("", "message"),  # NestJS, GraphQL
    ("errorCode", "errorSummary"),  # Okta
    ("error", "error_description"),  # RFC 6749
    ("errorCode", "errorMessage"),  # the vendor's v1
    ("title", "detail"),  # RFC 9457, JSON:API
    ("", "title"),
    ("", "error"),
    ("", "errors"),
    ("", "errorCode"),
)


def error_message(body: object) -> str:
    """Return the server's words in a decoded error body, "" where there are none that a person could read.

    A list or a bare text is no error of any shape: it may be what a participant said.
    """
    return _words(body) if isinstance(body, dict) else ""


def _words(node: object) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return "; ".join(dict.fromkeys(filter(None, map(_words, node))))
    if not isinstance(node, dict):
        return ""
    for name, sentence in _PAIRS:
        if text := _words(node.get(sentence)):
            code = node.get(name)
            return f"{code}: {text}" if isinstance(code, str) and code else text
    return ""
