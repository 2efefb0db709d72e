"""The tap: its streams, what a run does and how it ends.

`RESTStream` and the SDK's `OAuthAuthenticator` are not used. They page one endpoint per stream, know neither a shared
quota nor `Retry-After`, never renew a token after a 401 or before it ends, do not retry the first token call, ignore
`REQUESTS_CA_BUNDLE`, and keep authenticators in a singleton that leaks credentials between two taps of one process.
Here one transport serves every stream, and a stream is a way from a change to a record.
"""

from __future__ import annotations

import os
import sys
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_usertesting.api.clock import Clock
from tap_usertesting.api.errors import ApiError, LongWaitError, NotFoundError, RunEndsError, SetupError
from tap_usertesting.api.redaction import Secrets
from tap_usertesting.api.turns import Turns
from tap_usertesting.config.schema import SCHEMA
from tap_usertesting.config.settings import Settings
from tap_usertesting.config.validation import SettingsError
from tap_usertesting.singer.command_line import EX_CONFIG, CommandLineTap
from tap_usertesting.singer.discovered import DiscoveredStream
from tap_usertesting.singer.maps import DEEPEST, clashing_aliases, leave_out_mapped_away, sources_without_stream
from tap_usertesting.singer.messages import in_words
from tap_usertesting.singer.per_test import PerTestStream
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.singer.side_by_side import sync_streams
from tap_usertesting.singer.state import STATE_EVERY, LedgerStateWriter
from tap_usertesting.singer.stream import FULL_TABLE, UserTestingStream
from tap_usertesting.singer.writer import SilentWriter, WholeLineWriter, outputs_are_one_pipe, say_all_well
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.sync.check import Check
from tap_usertesting.sync.context import SyncContext
from tap_usertesting.sync.forecast import forecast
from tap_usertesting.sync.outcome import say_what_is_left, summary_of
from tap_usertesting.sync.signals import Signals
from tap_usertesting.sync.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from singer_sdk import Stream

    from tap_usertesting.report.summary import Ending


class TapUserTesting(CommandLineTap):
    """Reads UserTesting's Results API and response change feed: sessions, details, transcripts, QXscores, changes."""

    name = "tap-usertesting"
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)  # the SDK adds its own settings to it
    # At a few calls a minute batches gain nothing, and the SDK's way of making them leaves masks and maps out.
    capabilities: ClassVar[list[Any]] = [one for one in Tap.capabilities if one is not PluginCapabilities.BATCH]
    message_writer_class = WholeLineWriter
    catalog_of_streams: ClassVar[Sequence[type[UserTestingStream]]] = STREAMS
    # What a test gives another of: time, who runs meanwhile, and how often STATE is written.
    clock: ClassVar[Clock] = Clock()
    make_turns: ClassVar[Callable[..., Turns]] = Turns
    state_every: ClassVar[float] = STATE_EVERY

    def __init__(self, *, config: Any = None, catalog: Any = None, state: Any = None, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        """Build the tap; nothing is read and no connection made before a sync.

        Ends with status 78 if a setting is wrong; one that is missing is missed when a sync begins.
        """
        self.secrets = Secrets()
        self._is_plan = False
        self.signals = Signals(
            context=lambda: self.__dict__.get("sync_context"),
            last_words=self._last_words,
            next_sync=self._next_sync,
        )
        # The SDK and the streams write into what they are given.
        super().__init__(config=deepcopy(config), catalog=deepcopy(catalog), state=deepcopy(state), **kwargs)

    # Streams

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [
            stream(self)
            for stream in self.catalog_of_streams
            if stream.setting is None or self.config.get(stream.setting) is True
        ]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of the catalog; the SDK alone would sort them by name."""
        if self._streams is None:
            found = super().streams
            order: dict[type, int] = {stream: place for place, stream in enumerate(self.catalog_of_streams)}
            self._streams = dict(sorted(found.items(), key=lambda item: order[type(item[1])]))
        return self._streams

    @property
    def chosen(self) -> list[UserTestingStream]:
        """The selected streams, in their order."""
        return [stream for stream in self.streams.values() if isinstance(stream, UserTestingStream) and stream.selected]

    @override
    def setup_mapper(self) -> None:
        """Set the stream maps up for the selected streams: of others the SDK knows no columns, and maps fail."""
        if self._config.get("flattening_enabled"):
            self._config.setdefault("flattening_max_depth", DEEPEST)
        at = "stream_maps"
        try:
            super(Tap, self).setup_mapper()
            for stream in self.chosen:
                at = f"stream_maps: {stream.name}"
                entry = self.catalog.get_stream(stream.name)
                if entry is not None:
                    self.mapper.register_raw_streams_from_catalog(Catalog([(stream.name, entry)]))
        except Exception as error:  # noqa: BLE001 - whatever the SDK makes of a wrong map
            self.refuse(f"{at}: {in_words(error)}")
        for line in clashing_aliases(self.chosen):
            self.refuse(line)
        leave_out_mapped_away(self.chosen)
        for source in sources_without_stream(self._config, self.streams):
            self.logger.warning("stream_maps: %s is no stream of this tap, and has no effect", source)

    # What a sync shares

    @cached_property
    def sync_context(self) -> SyncContext:
        """What the streams of a sync share. A wrong setting ends the run with one line."""
        chosen = self.chosen
        try:
            settings = Settings.parse(self.config, selected=[stream.name for stream in chosen])
        except SettingsError as error:
            self.refuse(str(error))
        if settings.start_date is not None and self.state.get("bookmarks"):
            self.logger.info(
                "start_date is %s: tests that have a bookmark go on from it; moving start_date back takes effect only "
                "with a full refresh or a cleared bookmark",
                settings.start_date,
            )
        if self._is_plan:
            settings = replace(settings, max_calls=None, max_duration=None)  # a plan says what all of it costs
        self._check_budget(settings)
        clock = type(self).clock
        return SyncContext(
            settings,
            host=self,
            streams=Streams(
                chosen,
                [stream for stream in chosen if isinstance(stream, PerTestStream)],
                [stream for stream in chosen if isinstance(stream, SessionStream)],
            ),
            secrets=self.secrets,
            clock=clock,
            turns=type(self).make_turns(clock=clock),
            is_plan=self._is_plan,
        )

    def _check_budget(self, settings: Settings) -> None:
        """Refuse a budget where nothing is kept of how far a sync came: each would read the same tests."""
        budget = next((name for name in ("max_calls", "max_duration") if getattr(settings, name) is not None), None)
        if budget is not None and (whole := self._without_state):
            self.refuse(
                f"{budget}: the catalog has {' and '.join(whole)} read in full (FULL_TABLE), which a sync that ends "
                f"early never completes; remove {budget}, or set INCREMENTAL and the replication key in the catalog"
            )

    @property
    def _without_state(self) -> list[str]:
        """The selected streams of tests of which no bookmark is kept."""
        streams = [stream for stream in self.chosen if isinstance(stream, PerTestStream)]
        return [stream.name for stream in streams if stream.replication_method == FULL_TABLE]

    # STATE

    @cached_property
    def state_writer(self) -> LedgerStateWriter:  # type: ignore[override]  # it needs nothing of the SDK's
        """Writes STATE, for the SDK as well."""
        return LedgerStateWriter(
            write=self.write_message,
            state=lambda: self.state,
            monotonic=type(self).clock.monotonic,
            every=type(self).state_every,
        )

    # What a run does

    def sync_all(self) -> None:  # type: ignore[misc]  # final for the type checker only; the exit status is ours
        """Sync all streams; ends with status 1 when anything failed."""
        with self.signals.taken():
            context = self.sync_context  # wrong settings end here, before any message
            try:
                self.state_writer.write_state()
                sync_streams(self.chosen, context, watch=self.signals.look_again)
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's flush fails too
                self.give_up(f"the target has closed the pipe: its own log says why; {self._next_sync()}")
            finally:
                context.progress.close()
            self.end()

    def run_connection_test(self) -> bool:  # type: ignore[misc]  # as above
        """Check what a sync needs, then emit at most one record per selected stream; status 1 when all is not well."""
        with self.signals.taken():
            try:
                Check(self.sync_context).run()
            except RunEndsError as error:
                self.end_over(error, f"check: {error}")
            except ApiError as error:
                self.end_without_tests(error)
            self.run_sync_dry_run(streams=self.chosen)
            self.end()
        return True

    @override
    def plan(self, form: str) -> None:
        """Write what a sync would cost, as `table` or `json`; nothing else is written."""
        self._is_plan = self.state_writer.is_silent = True
        self.message_writer = SilentWriter()
        with self.signals.taken():
            context = self.sync_context
            for stream in self.chosen:
                if isinstance(stream, DiscoveredStream):
                    stream.look()
            planned = forecast(context, [stream for stream in self.chosen if isinstance(stream, SessionStream)])
            sys.stdout.write(f"{planned.as_json() if form == 'json' else planned.as_table()}\n")
            self.end()

    def write_schemas(self) -> None:  # type: ignore[misc]  # as above
        """Write the SCHEMA of each selected stream."""
        for stream in self.chosen:
            stream.write_schema()

    # How a run ends

    def end(self) -> None:
        """Say what was spent; ends with status 1 when anything failed."""
        self.signals.settle()
        context = self.sync_context
        self._report("failed" if context.failures.any else "incomplete" if context.spent else "complete")
        say_what_is_left(context, self._next_sync())
        if context.failures.any:
            raise SystemExit(1)
        all_read = not (self._is_plan or context.spent or context.failures.streams)
        news = any(stream.emitted + stream.tombstoned for stream in self.chosen)
        if all_read and not news and outputs_are_one_pipe():
            say_all_well()

    def _report(self, ended: Ending) -> None:
        """Say what came of the run, on a terminal that the bar has left."""
        self.sync_context.progress.close()
        summary = summary_of(self.sync_context, ended)
        if self._is_plan:  # what it foresees has not come about
            self.logger.info("%s", summary.calls_made())
        else:
            summary.log(self.logger)

    def _next_sync(self) -> str:
        """Return where the next sync goes on after this one was cut short, for people."""
        whole = self._without_state
        if not self.state_writer.has_written or len(whole) == len(self.sync_context.streams.of_tests):
            return "the next sync starts over"
        return "the next sync goes on from the last STATE" + (f", but reads {', '.join(whole)} anew" if whole else "")

    def _last_words(self) -> None:
        self.state_writer.write_state()
        self._report("incomplete")

    def give_up(self, message: str, *, status: int = 1) -> NoReturn:
        """End the run with one line; what was written before stays good."""
        self.signals.settle()
        if "sync_context" in self.__dict__:
            self._report("failed")
        self.logger.critical("%s", message)
        raise SystemExit(status)

    def end_over(self, error: ApiError, line: str) -> NoReturn:
        """End the run over an error that any other call would meet too, with this line, or as the environment's."""
        if isinstance(error, SetupError):
            self.refuse(str(error))
        self.give_up(f"{line}; {self._next_sync()}" if isinstance(error, LongWaitError) else line)

    def end_without_tests(self, error: ApiError) -> NoReturn:
        """End the run, as it cannot know its tests."""
        named = self.sync_context.settings.workspace_ids is not None and isinstance(error, NotFoundError)
        hint = "; check workspace_ids, and that the credentials' user is a member of each" if named else ""
        self.end_over(error, f"the tests can not be discovered: {error}{hint}")

    def refuse(self, message: str) -> NoReturn:
        """End the run over a wrong setting or file, with one line that names it."""
        self.give_up(message, status=EX_CONFIG)
