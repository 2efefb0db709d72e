"""Reads the files of the command line: config, catalog and state, in every form in which users have them.

The error of a wrong file is one line that names the file and quotes nothing of it, because files hold secrets.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import click
from singer_sdk.singerlib import Catalog

from tap_usertesting.config.validation import SettingsError
from tap_usertesting.ledger.state_keys import is_sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JsonObject = dict[str, Any]


def read_config(path: str) -> JsonObject:
    """Return the settings in a file. Raises SettingsError, as every reader here does."""
    return _object("config", path, _text("config", path))


def read_catalog(path: str) -> JsonObject:
    """Return the catalog in a file, as `--discover` writes it."""
    catalog = _object("catalog", path, _text("catalog", path))
    try:
        Catalog.from_dict({"streams": catalog["streams"]})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = "not a Singer catalog; create one with --discover"
        raise _wrong("catalog", path, message) from error
    return catalog


def read_state(path: str, info: Callable[[str], object]) -> JsonObject:
    """Return the state in a file; `info` is called with a line if the file is empty.

    The file may hold a state, a STATE message, what `meltano state get` prints or what Meltano stores. It may also hold
    lines, such as the output of a target: then the last line that is a state counts.
    """
    text = _text("state", path)
    try:
        documents = [_unwrapped(json.loads(text))] if text.strip() else []
    except (ValueError, RecursionError) as error:
        documents = [state for state in map(_unwrapped, _lines(text)) if _is_state(state)][-1:]
        if not documents:
            raise _wrong("state", path, f"neither JSON nor JSON lines with a state{_at(error)}") from error
    for document in documents:
        if _is_state(document):
            return cast("JsonObject", document)
        if document not in (None, {}):
            raise _wrong("state", path, "contains no state, which has `bookmarks`; use another file, or none")
    info(f"--state {path}: empty, so the sync reads everything")
    return {}


def drop_unsound(state: JsonObject, warn: Callable[[str], object]) -> JsonObject:
    """Return a state without its malformed parts; `warn` is called with a line for what is read again therefore."""
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, dict):
        if bookmarks is not None:
            warn("state: `bookmarks` is not an object, so the sync reads everything again")
        return {}
    return {**state, "bookmarks": {name: _sound_stream(name, stream, warn) for name, stream in bookmarks.items()}}


def _sound_stream(name: str, stream: Any, warn: Callable[[str], object]) -> JsonObject:  # noqa: ANN401 - JSON
    if not isinstance(stream, dict) or not isinstance(stream.get("partitions", []), list):
        warn(f"state: the entry of {name} is invalid, so the sync reads this stream from the start")
        return {}
    if "partitions" not in stream:
        return stream
    kept = {
        json.dumps(part["context"], sort_keys=True): part  # joined states may have a test twice: the last one counts
        for part in stream["partitions"]
        if isinstance(part, dict) and isinstance(part.get("context"), dict) and is_sound(part)
    }
    if len(kept) < len(stream["partitions"]):
        warn(
            f"state: {name} has invalid or duplicate tests; the sync reads invalid ones from the start and uses the "
            "last of duplicates"
        )
    return {**stream, "partitions": list(kept.values())}


def _is_state(document: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(document, dict) and "bookmarks" in document


def _unwrapped(document: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the state inside a STATE message or inside what Meltano prints or stores."""
    if not isinstance(document, dict):
        return document
    if document.get("type") == "STATE":
        return _unwrapped(document.get("value"))
    if "singer_state" in document:
        return _unwrapped(document["singer_state"])
    if (
        "completed" in document or "partial" in document
    ):  # Meltano's states of the last complete run and of later incomplete ones
        whole, part = (_dict(_unwrapped(document.get(name))).get("bookmarks") for name in ("completed", "partial"))
        return {"bookmarks": {**_dict(whole), **_dict(part)}} if whole or part else {}
    return document


def _dict(value: Any) -> JsonObject:  # noqa: ANN401 - JSON
    return value if isinstance(value, dict) else {}


def _lines(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            yield json.loads(line)


def _object(kind: str, path: str, text: str) -> JsonObject:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"not JSON{_at(error)}" if text.strip() else "empty"
        raise _wrong(kind, path, f"{message}; it must contain a JSON object") from error
    if not isinstance(document, dict):
        raise _wrong(kind, path, "not a JSON object, which starts with {")
    return document


def _text(kind: str, path: str) -> str:
    try:
        with click.open_file(path, "rb") as file:
            content: bytes = file.read()
        return content.decode(json.detect_encoding(content)).lstrip("\ufeff")  # type: ignore[attr-defined, unused-ignore]
    except OSError as error:
        raise _wrong(kind, path, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # bytes that cannot be decoded, or a path that is not valid
        raise _wrong(kind, path, "not UTF-8") from error


def _at(error: Exception) -> str:
    return f" ({error.msg} in line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""


def _wrong(kind: str, path: str, message: str) -> SettingsError:
    return SettingsError(f"--{kind} {path}: {message}")
