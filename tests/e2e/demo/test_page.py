"""The page that the demo writes, drawn by a real browser without a network, and the words that the demo prints."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import ROOT, install, requirements_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]  # it installs, and may install a browser
in_a_browser = pytest.mark.skipif(
    "E2E_WITHOUT_BROWSER" in os.environ, reason="E2E_WITHOUT_BROWSER says that there is none"
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever the page asked for would not be found
)
# As Blink numbers them.
SCHEMES = {"dark": 0, "light": 1}
# How many charts each part has: one for each sync with calls, interaction test, question and type of event.
CHARTS = {"windows": 2, "qx": 3, "ratings": 9, "choices": 9, "events": 4}
PARTS = ["figures", "changes", "missing", "windows", "qx", "ratings", "choices", "events", "transcript"]


@dataclass(frozen=True)
class Demo:
    """What a run of the demo printed, and the page that it wrote."""

    printed: str
    page: Path

    @property
    def text(self) -> str:
        """The page as it is written, not yet drawn."""
        return self.page.read_text(encoding="utf-8")


def browser() -> str:
    """Return a browser's command; where there is none, Debian's is installed if that is allowed."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-q", "-y", "chromium"], check=False, capture_output=True)
        found = shutil.which("chromium")
    assert found, f"no browser is here, and none could be installed: install one of {', '.join(BROWSERS)}"
    return found


def drawn(page: Path, profile: Path, *options: str) -> str:
    """Return the page as the browser has it once it is drawn."""
    command = [browser(), *QUIET, *options, f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=200)
    return done.stdout


@pytest.fixture(scope="module")
def demo() -> Demo:
    """Run the demo; the last line that it prints is the page's path."""
    requirements = requirements_in(ROOT / "tests" / "demo" / "requirements.txt")
    python = install("demo", ("--editable", ".[sandbox]", *requirements)) / "python"
    done = subprocess.run([python, "-m", "tests.demo.run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Demo(printed=done.stdout, page=Path(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def measured_page(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same page with a script that measures it, which its policy lets in as a third one."""
    script = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = demo.text.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    page = tmp_path_factory.mktemp("measured") / "page.html"
    # In the head: whatever tells that the page is drawn, tells it later.
    page.write_text(text.replace("</head>", f"<script>{script}</script></head>", 1), encoding="utf-8")
    return page


@in_a_browser
def test_a_browser_draws_every_chart(demo: Demo, tmp_path: Path) -> None:
    """Every chart is there as a picture with its marks, in the part where it belongs."""
    shown = drawn(demo.page, tmp_path)
    assert f'data-drawn="{sum(CHARTS.values())}"' in shown
    sections = dict(re.findall(r'<section id="(\w+)">(.*?)</section>', shown, flags=re.DOTALL))
    assert list(sections) == PARTS
    for name, text in sections.items():
        assert text.count('aria-roledescription="visualization"') == CHARTS.get(name, 0), name
    for name in ("qx", "ratings", "choices", "events"):
        assert sections[name].count('aria-roledescription="bar"') > 2 * CHARTS[name]
    assert len(re.findall(r'aria-roledescription="rect[^"]*"', sections["windows"])) > 10


@in_a_browser
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [500, 1280])
def test_the_page_fits_and_can_be_read(measured_page: Path, tmp_path: Path, width: int, scheme: str) -> None:
    """Nothing is wider than its place or cut off, no two labels overlap, and all text stands out from its ground."""
    options = (f"--window-size={width},4000", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}")
    [told] = re.findall(r'data-measured="([^"]*)"', drawn(measured_page, tmp_path, *options))
    found: dict[str, Any] = json.loads(html.unescape(told))
    assert (found["width"], found["needed"]) == (width, width)
    assert found["dark"] == (scheme == "dark")
    assert found["texts"] > 200
    assert {name: found[name] for name in ("overflowing", "cut", "overlapping", "pale")} == {
        "overflowing": [],
        "cut": [],
        "overlapping": [],
        "pale": [],
    }


def test_the_page_says_what_the_second_sync_changed(demo: Demo) -> None:
    """Each row that changed, with what it said before and after: three of the rejected session, and so on."""
    changes = demo.text.partition('<section id="changes">')[2].partition("</section>")[0]
    assert re.findall(r'<span class="badge [\w ]*">([\w ]+)</span>', changes) == [
        *["removed"] * 3,
        *["changed"] * 2,
        *["new"] * 3,
        "late transcript",
    ]
    tables = re.findall(r'<td data-name="table">(\w+)</td>', changes)
    whole = ["sessions", "session_details", "transcripts"]
    assert tables == [*whole, "sessions", "session_details", *whole, "transcripts"]
    assert len(re.findall(r'<td data-name="before">no row</td>', changes)) == 4
    assert len(re.findall(r'<td data-name="after"><dl><dt>deleted_at</dt>', changes)) == 3
    # An answer and the time of the change: the corrected session differs in nothing else.
    rows = re.findall(r"<tr>.*?</tr>", changes, flags=re.DOTALL)
    [corrected] = [row for row in rows if "changed" in row and "session_details" in row]
    for cell in re.findall(r'<td data-name="(?:before|after)">.*?</td>', corrected, flags=re.DOTALL):
        assert re.findall("<dt>(.*?)</dt>", cell) == ["How clear is it what this company offers?", "last change"]
    ratings = re.findall(r"offers\?</dt><dd>(\d)</dd>", corrected)
    assert len(ratings) == 2
    assert abs(int(ratings[0]) - int(ratings[1])) == 1


def test_each_part_shows_its_sql(demo: Demo) -> None:
    """What stands on the page can be asked again."""
    sections = re.findall(r'<section id="\w+">.*?</section>', demo.text, flags=re.DOTALL)
    assert len(sections) == len(PARTS)
    for section in sections:
        assert re.search(r"<summary>SQL</summary><pre>[^<]*SELECT\s[^<]*\sFROM\s", section)


def test_the_page_needs_nothing_else(demo: Demo) -> None:
    """One file, which names no other host as the place of anything that a browser would load."""
    text = demo.text
    assert "default-src 'none'" in text
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert len(outside) < len(text) / 2  # the library is in it
    scripts = "".join(re.findall("<script[^>]*>", text))
    assert not re.findall(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", outside + scripts)


def test_the_page_quotes_what_the_demo_prints(demo: Demo) -> None:
    """The second sync, as the first page shows it."""
    page = (ROOT / "docs/get-started.md").read_text(encoding="utf-8")
    [quoted] = re.findall(r"```text\n(3\. Second sync.*?)```", page, flags=re.DOTALL)
    assert quoted in demo.printed
