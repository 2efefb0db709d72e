"""The text of an answer's bytes: by their byte order mark, else by the charset that is declared, else UTF-8. Pure."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import NamedTuple

# The mark of UTF-32 LE begins as that of UTF-16 LE does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s\"';,]+)", re.IGNORECASE)
_PYTHONS_OWN = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})


class Decoded(NamedTuple):
    """A text, and how many U+FFFD stand in it where bytes could not be read; 0 when all of them could."""

    text: str
    replaced: int


def decoded(body: bytes | bytearray, content_type: str | None) -> Decoded:
    """Return the text of a body. UTF-8 is also tried where the bytes do not fit the charset they should be in."""
    mark = next((charset for mark, charset in _MARKS if body.startswith(mark)), None)
    charsets = [charset for charset in (mark, _declared(content_type or ""), "utf-8") if charset is not None]
    for charset in charsets:
        with suppress(ValueError):
            return Decoded(body.decode(charset), 0)
    text = body.decode(charsets[0], "replace")
    return Decoded(text, text.count("\ufffd"))


def _declared(content_type: str) -> str | None:
    """Return the charset of a Content-Type, None where there is none that Python can read text in."""
    found = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(found[1]).name if found else ""
        b"text".decode(name, "replace")  # not all of its codecs are of text
    except (LookupError, ValueError):
        return None
    return None if name in _PYTHONS_OWN else name
