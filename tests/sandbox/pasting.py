"""What a newcomer does with the index page: takes commands from it and pastes them."""

from __future__ import annotations

import argparse
import shlex
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import requests

from tests.support.harness import LONG

if TYPE_CHECKING:
    from tap_usertesting.sandbox import Sandbox


class Page(HTMLParser):
    """The page of a sandbox as a browser reads it. ``commands``: by the id of the heading above them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.commands: dict[str, list[str]] = {}
        self.words: list[str] = []
        self._section = ""
        self._in = ""
        self.feed(text)

    @classmethod
    def of(cls, box: Sandbox) -> Page:
        """Load the page."""
        answer = requests.get(f"{box.url}/_sandbox/", headers={"Accept": "text/html,*/*"}, timeout=LONG)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        return cls(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        self._in = tag
        if tag == "h2":
            self._section = dict(attrs)["id"] or ""
        if tag == "pre":
            self.commands.setdefault(self._section, []).append("")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a tag."""
        self._in = "" if tag == self._in else self._in

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self._in == "pre":
            self.commands[self._section][-1] += data
        elif self._in != "style":
            self.words.append(data)


def paste(command: str, *, timeout: float = LONG) -> requests.Response:
    """Send what a curl command sends, read as a shell and curl read it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-S", action="store_true")
    parser.add_argument("-X", default=None)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", action="append", default=[])
    parser.add_argument("url")
    program, *words = shlex.split(command, comments=True)
    assert program == "curl"
    told = parser.parse_args(words)
    headers = dict(header.split(": ", 1) for header in told.H)
    data = "&".join(told.d) if told.d else None
    if data is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    method = told.X or ("GET" if data is None else "POST")
    body = None if data is None else data.encode()
    return requests.request(method, told.url, data=body, headers=headers, timeout=timeout, allow_redirects=False)
