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


def said(body: object) -> str:
    """Return the server's words in a decoded error body, "" where there are none that a person could read."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(dict.fromkeys(filter(None, map(said, body))))
    if not isinstance(body, dict):
        return ""
    for name, sentence in _PAIRS:
        if text := said(body.get(sentence)):
            code = body.get(name)
            return f"{code}: {text}" if isinstance(code, str) and code else text
    return ""
