"""The demo's page is made of foreign text: what it says can not become part of the page."""

from __future__ import annotations

import json
import re

from tests.demo.page import Picture, page

EVIL = '</script><script>alert("1")</script><img src=x onerror=alert(1)>'


def test_foreign_text_stays_text() -> None:
    """In a title, a cell, a chart's data and a transcript alike."""
    rows = [{"question": EVIL, "answers": 3}]
    spec = {"data": {"values": rows}}
    cues = [{"start_ms": 61_000, "speaker": EVIL, "text": EVIL}]
    made = page(
        pictures=[Picture(title=EVIL, about=EVIL, spec=spec, rows=rows)],
        transcript={"title": EVIL, "session_id": "s", "cues": cues},
        library="window.vegaEmbed = () => {};",
    )
    assert "<img" not in made
    assert made.count("<script") == 3  # the chart's data, the library, what draws
    [data] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', made)
    assert json.loads(data)["data"]["values"] == rows
    assert "01:01" in made


def test_the_policy_lets_in_only_the_two_scripts() -> None:
    """Even a script that got in would not run: the page names the hashes of those that may."""
    made = page(pictures=[], transcript={"title": "t", "session_id": "s", "cues": []}, library="1;")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', made)
    assert policy.startswith("default-src 'none'")
    assert policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy
