"""Decodes the body of an answer: by its byte order mark, else by the declared charset, else as UTF-8. Pure."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import NamedTuple

# UTF-32 LE comes before UTF-16 LE, as its mark starts with the same bytes.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s\"';,]+)", re.IGNORECASE)
# Codecs that only Python has: a server that names one means something else.
_PYTHONS_OWN = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


class Decoded(NamedTuple):
    """A text, and how many U+FFFD it contains in place of bytes that could not be decoded."""

    text: str
    replaced: int


def decoded(body: bytes | bytearray, content_type: str | None) -> Decoded:
    """Return the text of a body. UTF-8 is the last resort when the bytes do not fit the charset that they claim."""
    mark = next((charset for mark, charset in _MARKS if body.startswith(mark)), None)
    charsets = [charset for charset in (mark, _declared(content_type or ""), "utf-8") if charset is not None]
    for charset in charsets:
        with suppress(ValueError):
            return Decoded(body.decode(charset), 0)
    text = body.decode(charsets[0], "replace")
    return Decoded(text, text.count("\ufffd"))


def _declared(content_type: str) -> str | None:
    """Return the charset of a Content-Type, None if there is none that Python can decode text with."""
    found = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(found[1]).name if found else ""
        b"text".decode(name, "replace")  # raises for codecs that are not for text, such as zlib
    except (LookupError, ValueError):
        return None
    return None if name in _PYTHONS_OWN else name
