"""No secret is in any line that anyone writes, ourselves, the SDK, a library or Python, however the log is set up."""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.logging import StructuredFormatter

from tap_usertesting.api.redaction import Secrets
from tap_usertesting.singer.command_line import EX_CONFIG
from tap_usertesting.tap import TapUserTesting
from tests.settings.conftest import PREFIX
from tests.support.harness import COMMAND, arguments, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_usertesting.sandbox import Sandbox

TOKEN = "tok-3f9a/+=77=="
LOG = logging.getLogger("some.library")


class Kept(logging.Handler):
    """Keeps what a formatter makes of each record."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one more line."""
        self.text += self.format(record) + "\n"


@pytest.fixture(params=[logging.Formatter, StructuredFormatter], ids=["plain", "JSON"])
def log(request: pytest.FixtureRequest) -> Iterator[Kept]:
    """Handle what a library logs, in the form of either log."""
    handler = Kept(request.param())
    LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)
    yield handler
    LOG.removeHandler(handler)
    LOG.setLevel(logging.NOTSET)


@pytest.fixture
def secrets() -> Secrets:
    """Return the secrets of a tap."""
    kept = Secrets()
    kept.keep(TOKEN)
    return kept


def _raise_through(error: Exception) -> None:
    try:
        _raise_from(error)
    except RuntimeError:
        LOG.exception("it failed with %s", TOKEN)


def _raise_from(error: Exception) -> None:
    try:
        raise error  # noqa: TRY301 - to have a place in the traceback
    except Exception as cause:
        raise RuntimeError(f"while sending {TOKEN!r}") from cause


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda: LOG.info("token %s of %d", TOKEN, 5), id="argument"),
        pytest.param(lambda: LOG.info("token %(t)s", {"t": TOKEN}), id="named argument"),
        pytest.param(lambda: LOG.info(str(["token", TOKEN])), id="message"),
        pytest.param(lambda: LOG.info("token %r", {"Authorization": f"Bearer {TOKEN}\n".encode()}), id="in bytes"),
        pytest.param(lambda: LOG.info("GET /x?key=tok-3f9a%%2F%%2B%%3D77%%3D%%3D%s", ""), id="in a URL"),
        pytest.param(lambda: LOG.info("%s", json.dumps({"t": TOKEN})), id="in JSON"),
        pytest.param(lambda: LOG.log(20, *("%d of %s", TOKEN)), id="arguments that do not fit"),
        pytest.param(lambda: _raise_through(ValueError(f"Invalid header value {TOKEN!r}")), id="traceback"),
        pytest.param(lambda: _raise_through(KeyError(TOKEN)), id="traceback of a key"),
        pytest.param(lambda: LOG.error("x", exc_info=OSError(5, TOKEN, TOKEN)), id="error of the system"),
    ],
)
def test_what_a_library_logs_has_no_secret(log: Kept, secrets: Secrets, write: Callable[[], None]) -> None:
    """In messages, arguments and tracebacks with their causes; the rest can still be read."""
    write()
    assert "***" in log.text
    assert TOKEN not in log.text
    assert "tok-3f9a" not in log.text
    assert TOKEN not in repr(log.text.encode())
    del secrets


def test_a_traceback_keeps_its_names_and_places(log: Kept, secrets: Secrets) -> None:
    """What helps to find the fault stays."""
    _raise_through(ValueError(f"Invalid header value {TOKEN!r}"))
    for known in ("ValueError", "RuntimeError", "_raise_through", "Invalid header value", "while sending"):
        assert known in log.text
    del secrets


def test_a_record_without_a_secret_is_left_alone(secrets: Secrets) -> None:
    """Formatters that look at the arguments, such as the SDK's for metrics, find them."""
    error = ValueError("x")
    make = logging.getLogRecordFactory()
    record = make("n", logging.INFO, __file__, 1, "a %s", (5,), (ValueError, error, None))
    assert (record.msg, record.args) == ("a %s", (5,))
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    del secrets


def test_a_short_secret_does_not_blank_out_syllables(log: Kept) -> None:
    """What others write stays readable with a secret of a test."""
    kept = Secrets()
    kept.keep("a")
    LOG.info("a banana")
    assert "a banana" in log.text
    assert kept.blank("a") == "***"


def test_keys_and_passwords_in_urls_are_kept(log: Kept) -> None:
    """Of the APIs and of proxies, as libraries like to write addresses."""
    kept = Secrets()
    kept.keep_url("https://api.example/?version=2&key=key-in-the-url-77")
    kept.keep_url("http://me:hush-proxy@proxy.example:3128")
    kept.keep_url("http://[half")
    LOG.info("failed: http://me:hush-proxy@proxy.example:3128, /?version=2&key=key-in-the-url-77")
    assert "hush-proxy" not in log.text
    assert "key-in-the-url-77" not in log.text
    assert "version=2" in log.text


def test_secrets_are_forgotten_with_their_tap(log: Kept) -> None:
    """One tap's secrets are no concern of the next in the same process, and the log is not wrapped twice."""
    tap = TapUserTesting(config={"access_token": TOKEN}, setup_mapper=False)
    factory = logging.getLogRecordFactory()
    LOG.info("first %s", TOKEN)
    other = TapUserTesting(config={"access_token": "another-token"}, setup_mapper=False)
    del tap
    gc.collect()
    assert logging.getLogRecordFactory() is factory
    LOG.info("second %s, another-token", TOKEN)
    assert "first ***" in log.text
    assert f"second {TOKEN}, ***" in log.text
    del other


# The real command line, sabotaged

CRASH = """
import sys, threading, warnings
from tap_usertesting.api.http_session import ApiSession
from tap_usertesting.tap import TapUserTesting

def request(self, method, url, **kwargs):
    said = f"Invalid header value b'Bearer {TOKEN}' and {TOKEN!r}"
    warnings.warn(said)
    other = threading.Thread(target=fail, args=(said,))
    other.start()
    other.join()
    fail(said)

def fail(said):
    try:
        raise ValueError(said)
    except ValueError as error:
        raise RuntimeError(f"while sending {TOKEN}") from error

TOKEN = sys.argv.pop()
ApiSession.request = request
TapUserTesting.cli()
"""
JSON_LOG = """
version: 1
disable_existing_loggers: false
formatters: {json: {(): singer_sdk.logging.StructuredFormatter}}
handlers:
  file: {class: logging.FileHandler, filename: tap.log, formatter: json}
  console: {class: logging.StreamHandler, formatter: json}
root: {level: DEBUG, handlers: [file, console]}
"""


@pytest.mark.parametrize("log_config", [None, JSON_LOG], ids=["console", "JSON and a file"])
@pytest.mark.parametrize("args", [(), ("--test",), ("--plan",)], ids=str)
def test_a_crash_of_any_library_shows_no_secret(
    tmp_path: Path, box: Sandbox, args: tuple[str, ...], log_config: str | None
) -> None:
    """With a traceback that can be sent to someone, and in a thread too; the exit status says that it failed."""
    config = box.config(access_token=TOKEN, client_id=None, client_secret=None, feed_url=None)
    env = dict(os.environ)
    if log_config is not None:
        (tmp_path / "log.yml").write_text(log_config, encoding="utf-8")
        env["SINGER_SDK_LOG_CONFIG"] = "log.yml"
    command = [sys.executable, "-c", CRASH, *arguments(config, tmp_path), *args, TOKEN]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, env=env)
    written = done.stdout + done.stderr
    if log_config is not None:
        written += (tmp_path / "tap.log").read_bytes()
    assert done.returncode == 1
    assert b"RuntimeError" in written
    assert b"ValueError" in written
    assert b"UserWarning" in written
    assert b"***" in written
    assert b"tok-3f9a" not in written


# What becomes a header

DASHED = "tok\u20133f9a77aa"
HEADERS: list[Any] = [
    pytest.param({"access_token": DASHED}, "access_token", id="a long dash in a token"),
    pytest.param({"access_token": "tok\n3f9a77aa"}, "access_token", id="a token on two lines"),
    pytest.param({"access_token": "Bearer tok-3f9a77aa"}, "access_token", id="a token with its word"),
    pytest.param({"feed_access_token": DASHED}, "feed_access_token", id="a long dash in the feed's token"),
    pytest.param({"feed_access_token": "tok-3f9a\x00"}, "feed_access_token", id="a null"),
    pytest.param({"user_agent": "me/1.0\nX-Other: tok-3f9a77aa"}, "user_agent", id="two headers"),
    pytest.param({"user_agent": "me \u2013 1.0"}, "user_agent", id="a long dash"),
    pytest.param({"client_secret": "tok\r\n3f9a77aa"}, "client_secret", id="a secret on two lines"),
    pytest.param({"client_id": "me\x1b[31m"}, "client_id", id="an escape"),
    pytest.param({"client_secret": "tok\udce93f9a77aa"}, "client_secret", id="a byte that is not UTF-8"),
    pytest.param({"api_url": "https://api.example\r\n/tok-3f9a77aa"}, "api_url", id="a URL on two lines"),
    pytest.param({"api_url": "https://api .example"}, "api_url", id="a blank in a host"),
    pytest.param({"oauth_scopes": "studies:read\x07"}, "oauth_scopes", id="a bell"),
]


@pytest.mark.parametrize("args", [(), ("--test",), ("--plan",)], ids=str)
@pytest.mark.parametrize(("settings", "named"), HEADERS)
def test_what_cannot_be_sent_is_one_line_without_the_value(
    tmp_path: Path,
    command: Callable[..., int],
    critical: Callable[[], list[str]],
    settings: dict[str, Any],
    named: str,
    args: tuple[str, ...],
) -> None:
    """Before any request, at every command."""
    config = {
        "client_id": "me",
        "client_secret": "hush",
        "feed_url": "https://feed.example/",
        "feed_access_token": "feed",
        "test_ids": ["645c4faa-7d2b-4c39-9c38-3e9d7a1b2c3d"],
        **settings,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert command("--config", "config.json", *args) == EX_CONFIG
    [line] = critical()
    assert line.startswith(f"{named}: ")
    assert "3f9a" not in line
    assert "\n" not in line


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n"])
def test_a_line_break_after_a_secret_does_no_harm(tmp_path: Path, box: Sandbox, end: str) -> None:
    """As files and Kubernetes hand secrets on; by file and by variable."""
    secrets = {"client_id": box.client_id, "client_secret": box.client_secret, "feed_access_token": box.feed_token}
    config = box.config(user_agent=f"me/1.0{end}", **{name: value + end for name, value in secrets.items()})
    by_file = sync(config, tmp_path, select=["sessions"])
    assert by_file.exit == 0, by_file.log
    for name in secrets:
        del config[name]
    variables = {f"{PREFIX}{name.upper()}": value + end for name, value in secrets.items()}
    by_variable = sync(config, tmp_path, select=["sessions"], args=["--config=ENV"], env=variables)
    assert by_variable.exit == 0, by_variable.log
    assert len(by_variable.records()) == len(by_file.records()) == len(box.world.sessions)
    assert not any(value in by_file.log + by_variable.log for value in list(secrets.values())[1:])


def test_latin_letters_may_stand_in_a_user_agent(tmp_path: Path, box: Sandbox) -> None:
    """No false alarm: a header may hold them."""
    done = sync(box.config(user_agent="Müller & Söhne/1.0"), tmp_path, select=["tests"])
    assert done.exit == 0, done.log
    assert COMMAND
