"""Reads settings from the environment and from `.env` in the working folder, as plain text.

The SDK is not used for this: it reads any word as True or False, searches for `.env` from where its own code is
installed, and prefers `.env` to exported variables.
"""

from __future__ import annotations

import logging
import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from tap_usertesting.config.validation import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SIMILARITY = 0.85  # a lower one would match an orchestrator's own variables, such as TAP_USERTESTING_SERVICE_HOST


class Environment:
    """The non-empty variables with the tap's prefix. Exported variables take precedence over `.env`."""

    def __init__(self, prefix: str) -> None:
        """Read the environment and `.env`. Raises SettingsError if `.env` cannot be read."""
        self._prefix = prefix
        self._texts = {**_filled(_dotenv(Path(".env")), prefix), **_filled(os.environ, prefix)}

    def settings(self, names: Iterable[str]) -> dict[str, str]:
        """Return the text of each setting that has a variable."""
        return {name: self._texts[variable] for name in names if (variable := self._variable(name)) in self._texts}

    def misspelt(self, names: Iterable[str]) -> dict[str, str]:
        """Return each variable that looks like a misspelt setting, with the variable that was probably meant."""
        known = [name.upper() for name in names]
        lower_case = {
            variable: variable.upper()
            for variable, text in os.environ.items()
            if text.strip() and variable.upper() != variable and variable.upper() in map(self._variable, names)
        }
        given = {variable.removeprefix(self._prefix) for variable in self._texts}.difference(known)
        near = {text: get_close_matches(text, known, n=1, cutoff=SIMILARITY) for text in sorted(given)}
        return lower_case | {self._prefix + text: self._prefix + found[0] for text, found in near.items() if found}

    def _variable(self, name: str) -> str:
        return self._prefix + name.upper()


def remove_invalid_log_levels(prefix: str) -> Iterator[str]:
    """Remove invalid log levels from the environment, because the SDK fails on them; yields a line for each."""
    for variable in (f"{prefix}LOGLEVEL", "LOGLEVEL"):
        level = os.environ.get(variable, "")
        if level and not isinstance(logging.getLevelName(level.strip().upper()), int):
            del os.environ[variable]
            yield f"{variable}: not a log level, such as INFO or DEBUG; ignored"
        elif level != level.strip():
            os.environ[variable] = level.strip()


def _filled(variables: Mapping[str, str | None], prefix: str) -> dict[str, str]:
    return {name: text for name, text in variables.items() if name.startswith(prefix) and text and text.strip()}


def _dotenv(path: Path) -> dict[str, str | None]:
    try:
        return dotenv_values(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        message = f"{path.absolute()}: cannot be read ({reason}); fix or remove the file"
        raise SettingsError(message) from error
