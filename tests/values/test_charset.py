"""Bytes become text by their mark, the declared charset, or as UTF-8; what is lost is counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.api.answer import Answer
from tap_usertesting.api.errors import MalformedError
from tap_usertesting.values.charset import Decoded, decoded

TEXT = "Grüße, 5 €"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(TEXT.encode(), None, id="nothing declared"),
        pytest.param(TEXT.encode(), "text/vtt", id="no charset"),
        pytest.param(TEXT.encode("cp1252"), "text/vtt; charset=windows-1252", id="another charset"),
        pytest.param(TEXT.encode("iso8859-15"), "text/vtt;Charset = 'ISO-8859-15' ; x=y", id="as odd as allowed"),
        pytest.param(TEXT.encode("utf-16-le"), 'text/vtt; charset="UTF-16LE"', id="two bytes a character"),
        *(
            pytest.param(TEXT.encode(charset), declared, id=f"{charset} marked, {declared}")
            for charset in ("utf-8-sig", "utf-16", "utf-32")
            for declared in (None, "text/vtt; charset=latin-1")
        ),
        pytest.param(TEXT.encode(), "text/vtt; charset=us-ascii", id="does not fit what is declared"),
        *(
            pytest.param(TEXT.encode(), f"text/vtt; charset={name}", id=f"{name} is no charset")
            for name in ("none-such", "base64", "rot13", "punycode", "undefined", "", "\x00", "x" * 9999)
        ),
    ],
)
def test_a_text_comes_whole(body: bytes, content_type: str | None) -> None:
    """Whatever is declared of it, where that can be."""
    assert decoded(body, content_type) == decoded(bytearray(body), content_type) == Decoded(TEXT, 0)


def test_what_is_lost_is_counted() -> None:
    """Each place where bytes had to be replaced; a U+FFFD that the server sent is none."""
    assert decoded(b"a\xfcb\xff", "text/vtt; charset=utf-8") == Decoded("a\ufffdb\ufffd", 2)
    assert decoded("\ufeffab".encode("utf-16-le") + b"c", None) == Decoded("ab\ufffd", 1)
    assert decoded("a\ufffdb".encode(), None) == Decoded("a\ufffdb", 0)


@given(body=st.binary(), content_type=st.one_of(st.none(), st.text(), st.text().map("x; charset={}".format)))
def test_any_bytes_are_some_text(body: bytes, content_type: str | None) -> None:
    """Nothing raises, and nothing is replaced without being counted."""
    text, replaced = decoded(body, content_type)
    assert replaced == 0 or text.count("\ufffd") == replaced


@pytest.mark.parametrize(
    ("charset", "content_type"),
    [
        pytest.param("utf-8", "application/json", id="UTF-8"),
        pytest.param("utf-8-sig", "application/json; charset=utf-8", id="UTF-8 with a mark"),
        pytest.param("utf-16", "application/json", id="UTF-16"),
        pytest.param("utf-32-be", "application/json", id="UTF-32 without a mark"),
        pytest.param("cp1252", "application/json; charset=windows-1252", id="no Unicode, as declared"),
        pytest.param("utf-8", "application/json; charset=ISO-8859-1", id="Unicode, declared as something else"),
    ],
)
def test_json_is_read_in_its_charset(charset: str, content_type: str) -> None:
    """JSON is Unicode by its standard, so what is declared counts only where the bytes cannot be Unicode."""
    body = json.dumps({"a": TEXT}, ensure_ascii=False).encode(charset)
    assert Answer(200, {"Content-Type": content_type}, body).json() == {"a": TEXT}


def test_json_of_which_bytes_would_be_lost_is_a_fault() -> None:
    """It may be whole at the next try."""
    with pytest.raises(MalformedError, match="not JSON"):
        Answer(200, {"Content-Type": "application/json; charset=utf-8"}, b'{"a": "\xfc"}').json()
