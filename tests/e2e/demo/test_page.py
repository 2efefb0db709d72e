"""The page with pictures that the demo writes, drawn by a real browser without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import ROOT, install, requirements_in

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]  # it installs, and may install a browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHARTS = 4
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever the page asked for would not be found
)


def browser() -> str:
    """Return a browser's command; where there is none, Debian's is installed if that is allowed."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-q", "-y", "chromium"], check=False, capture_output=True)
        found = shutil.which("chromium")
    assert found, f"no browser is here, and none could be installed: install one of {', '.join(BROWSERS)}"
    return found


@pytest.fixture(scope="module")
def page() -> Path:
    """Run the demo; the last line that it prints is the page's path."""
    requirements = requirements_in(ROOT / "tests" / "demo" / "requirements.txt")
    python = install("demo", ("--editable", ".[sandbox]", *requirements)) / "python"
    done = subprocess.run([python, "-m", "tests.demo.run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


@pytest.mark.skipif("E2E_WITHOUT_BROWSER" in os.environ, reason="E2E_WITHOUT_BROWSER says that there is none")
def test_a_browser_draws_every_chart(page: Path, tmp_path: Path) -> None:
    """Every chart is there as a picture with its marks, and the transcript as text."""
    command = [browser(), *QUIET, f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000", "--dump-dom"]
    shown = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=100).stdout
    assert f'data-drawn="{CHARTS}"' in shown
    assert shown.count('aria-roledescription="visualization"') == CHARTS
    assert shown.count('aria-roledescription="bar"') > 2 * CHARTS
    transcript = shown.partition('id="transcript"')[2]
    assert len(re.findall(r"<tr>", transcript)) > 3


def test_the_page_needs_nothing_else(page: Path) -> None:
    """One file, which names no other host as the place of anything that a browser would load."""
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert len(outside) < len(text) / 2  # the library is in it
    scripts = "".join(re.findall("<script[^>]*>", text))
    assert not re.findall(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", outside + scripts)
