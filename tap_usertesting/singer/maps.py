"""The user's stream maps (`stream_maps`, `flattening_enabled`), set up for the selected streams only."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_usertesting.singer.stream import UserTestingStream

MAX_DEPTH = 10  # levels to flatten if no setting says how many; no schema has more


def deselect_mapped_away(streams: Iterable[UserTestingStream]) -> None:
    """Deselect the streams of which stream maps leave nothing, so that they cost no call."""
    for stream in streams:
        if stream.is_mapped_away:
            stream.selected = False
            stream.logger.info("%s: stream_maps remove this stream, so it is not read", stream.name)


def clashing_aliases(streams: Iterable[UserTestingStream]) -> Iterator[str]:
    """Yield an error line for each two streams with one alias: in a target, rows of one would replace the other's."""
    written: dict[str, str] = {}
    for stream in streams:
        for alias in stream.aliases:
            if (other := written.setdefault(alias, stream.name)) != stream.name:
                yield f"stream_maps: {other} and {stream.name} would both be written as {alias}"


def sources_without_stream(config: Mapping[str, Any], streams: Iterable[str]) -> Iterator[str]:
    """Yield each source in `stream_maps` that matches no stream of the tap."""
    names = list(streams)
    for source in map_sources(config.get("stream_maps", {})):
        if not any(fnmatch(name, source) for name in names):
            yield source


def map_sources(maps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the source of each entry of `stream_maps`: a stream name or a pattern of them."""
    for name, inner in maps.items():
        if name != "__else__":
            yield str(inner.get("__source__", name)) if isinstance(inner, dict) else name
