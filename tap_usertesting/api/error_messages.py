"""The message of a server in the body of an error answer, in any of the usual shapes. Pure."""

from __future__ import annotations

# Keys of a code ("": none) and of a message. The first pair whose message the body has is taken.
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
    """Return the server's message in the decoded body of an error, as `code: message` if it has a code; "" if none.

    Only an object counts. A list or a bare text has none of the shapes, and may be what a participant said.
    """
    return _text(body) if isinstance(body, dict) else ""


def _text(node: object) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return "; ".join(dict.fromkeys(filter(None, map(_text, node))))
    if not isinstance(node, dict):
        return ""
    for code_key, message_key in _PAIRS:
        if text := _text(node.get(message_key)):
            code = node.get(code_key)
            return f"{code}: {text}" if isinstance(code, str) and code else text
    return ""
