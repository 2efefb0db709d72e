"""The tap: its streams, what a run does and how it ends. A run is a sync, a check, a diagnosis or a forecast.

One transport serves every stream. The SDK's `RESTStream` and `OAuthAuthenticator` page one endpoint per stream, know
neither a shared quota nor `Retry-After`, never renew a token after a 401 or before it expires, do not retry the first
token call, ignore `REQUESTS_CA_BUNDLE`, and leak credentials between two taps of one process.
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
from tap_usertesting.doctor.run import diagnose
from tap_usertesting.report.plan_table import text_of
from tap_usertesting.report.progress import View, default_view
from tap_usertesting.singer.command_line import EX_CONFIG, CommandLineTap
from tap_usertesting.singer.discovered_stream import DiscoveredStream
from tap_usertesting.singer.maps import MAX_DEPTH, clashing_aliases, deselect_mapped_away, sources_without_stream
from tap_usertesting.singer.messages import describe_error
from tap_usertesting.singer.parallel import sync_streams
from tap_usertesting.singer.per_test_stream import PerTestStream, without_bookmarks
from tap_usertesting.singer.session_stream import SessionStream
from tap_usertesting.singer.state_writing import STATE_EVERY, LedgerStateWriter
from tap_usertesting.singer.status_stream import StatusAtEnd
from tap_usertesting.singer.stream import UserTestingStream
from tap_usertesting.singer.writer import SilentWriter, WholeLineWriter, outputs_are_one_pipe, write_all_well
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.sync.check import Check
from tap_usertesting.sync.context import SyncContext
from tap_usertesting.sync.end_of_sync import log_unfinished, summary_of
from tap_usertesting.sync.forecast import forecast
from tap_usertesting.sync.stream_protocols import Streams
from tap_usertesting.sync.termination_signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from singer_sdk import Stream

    from tap_usertesting.report.summary import Ending


class TapUserTesting(CommandLineTap):
    """Reads UserTesting's Results API and response change feed: sessions, details, transcripts, QXscores, changes."""

    name = "tap-usertesting"
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)  # a copy, because the SDK adds its own settings
    # Batches gain nothing at a few calls a minute, and the SDK's batches ignore masks and stream maps.
    capabilities: ClassVar[list[Any]] = [one for one in Tap.capabilities if one is not PluginCapabilities.BATCH]
    message_writer_class = WholeLineWriter
    catalog_of_streams: ClassVar[Sequence[type[UserTestingStream]]] = STREAMS
    # What a test replaces: the clock, the threads, and the seconds from one STATE to the next.
    clock: ClassVar[Clock] = Clock()
    make_turns: ClassVar[Callable[..., Turns]] = Turns
    make_view: ClassVar[Callable[[], View]] = default_view
    state_every: ClassVar[float] = STATE_EVERY

    def __init__(self, *, config: Any = None, catalog: Any = None, state: Any = None, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        """Build the tap; make no call.

        Ends with status 78 if a setting is wrong. Whether one is missing is checked when a run begins.
        """
        self.secrets = Secrets()
        self._is_forecast, self._is_sync = False, True
        self.status = StatusAtEnd()
        self.signals = Signals(
            context=lambda: self.__dict__.get("sync_context"),
            before_exit=self._before_exit,
            next_sync=self._next_sync,
        )
        # Copies, because the SDK and the streams change what they get.
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
        """The streams in the order of the catalog; the SDK would sort them by name."""
        if self._streams is None:
            found = super().streams
            order: dict[type, int] = {stream: position for position, stream in enumerate(self.catalog_of_streams)}
            self._streams = dict(sorted(found.items(), key=lambda item: order[type(item[1])]))
        return self._streams

    @property
    def selected_streams(self) -> list[UserTestingStream]:
        """The selected streams, in the order of the catalog."""
        return [stream for stream in self.streams.values() if isinstance(stream, UserTestingStream) and stream.selected]

    @override
    def setup_mapper(self) -> None:
        """Set up stream maps for selected streams only: the SDK knows no columns of others, and their maps fail."""
        if self._config.get("flattening_enabled"):
            self._config.setdefault("flattening_max_depth", MAX_DEPTH)
        at = "stream_maps"
        try:
            super(Tap, self).setup_mapper()
            for stream in self.selected_streams:
                at = f"stream_maps: {stream.name}"
                entry = self.catalog.get_stream(stream.name)
                if entry is not None:
                    self.mapper.register_raw_streams_from_catalog(Catalog([(stream.name, entry)]))
        except Exception as error:  # noqa: BLE001 - a wrong map may raise anything
            self.refuse(f"{at}: {describe_error(error)}")
        for line in clashing_aliases(self.selected_streams):
            self.refuse(line)
        deselect_mapped_away(self.selected_streams)
        for source in sources_without_stream(self._config, self.streams):
            self.logger.warning("stream_maps: %s is not a stream of this tap and is ignored", source)

    @cached_property
    def sync_context(self) -> SyncContext:
        """What the streams of a sync share. A wrong or missing setting ends the run with one line."""
        chosen = self.selected_streams
        try:
            settings = Settings.parse(self.config, selected=[stream.name for stream in chosen])
            if self._is_forecast:
                settings = replace(settings, max_calls=None, max_duration=None)  # the cost of a sync without a budget
            settings.check_budget(without_bookmarks(chosen))
        except SettingsError as error:
            self.refuse(str(error))
        if settings.start_date is not None and self.state.get("bookmarks"):
            self.logger.info(
                "start_date is %s; if you moved it back, this sync reads the sessions that it excluded; result_changes "
                "reads excluded events only after a full refresh",
                settings.start_date,
            )
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
            is_forecast=self._is_forecast,
            view=type(self).make_view(),
        )

    # STATE

    @cached_property
    def state_writer(self) -> LedgerStateWriter:  # type: ignore[override]  # it needs nothing of the SDK's writer
        """Writes STATE, also for the SDK."""
        return LedgerStateWriter(
            write=self.write_message,
            state=lambda: self.state,
            monotonic=type(self).clock.monotonic,
            every=type(self).state_every,
        )

    # What a run does

    def sync_all(self) -> None:  # type: ignore[misc]  # final for the type checker only; the exit status is set here
        """Sync the selected streams. Ends with status 1 if anything failed."""
        with self.signals.handling():
            context = self.sync_context  # wrong settings end here, before any message
            try:
                self.state_writer.write_state()
                self.status.begin(self.selected_streams)
                sync_streams(self.selected_streams, context, watch=self.signals.handle_pending)
                self.status.write()
                self.state_writer.write_state()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's flush fails too
                self.status.forget()
                self.abort(f"the target closed the pipe; see the target's log; {self._next_sync()}")
            finally:
                context.progress.close()
            self.finish()

    def run_connection_test(self) -> bool:  # type: ignore[misc]  # as above
        """Check what a sync needs, then emit at most one record per stream. Ends with status 1 if a check failed."""
        self._is_sync = False
        with self.signals.handling():
            try:
                Check(self.sync_context).run()
            except RunEndsError as error:
                self.abort_on(error, f"check: {error}")
            except ApiError as error:
                self.abort_without_tests(error)
            self.run_sync_dry_run(streams=self.selected_streams)
            self.finish()
        return True

    @override
    def plan(self, form: str) -> None:
        """Write what a sync would cost, and nothing else; `form`: `short`, `full` or `json`."""
        self._is_forecast, self._is_sync = True, False
        self.state_writer.is_silent, self.message_writer = True, SilentWriter()
        with self.signals.handling():
            context = self.sync_context
            for stream in self.selected_streams:
                if isinstance(stream, DiscoveredStream):
                    stream.discover_rows()
            streams = [stream for stream in self.selected_streams if isinstance(stream, SessionStream)]
            sys.stdout.write(f"{text_of(forecast(context, streams), form)}\n")
            self.finish()

    @override
    def diagnose(self) -> NoReturn:
        """Try what the tap assumes of the servers, and write a report. Ends with status 1 if anything is refuted."""
        self._is_sync, self._is_forecast, self.state_writer.is_silent = False, True, True
        with self.signals.handling():
            raise SystemExit(diagnose(self.sync_context, host=self, given=self.config, secrets=self.secrets))

    def write_schemas(self) -> None:  # type: ignore[misc]  # as above
        """Write the SCHEMA of each selected stream."""
        for stream in self.selected_streams:
            stream.write_schema()

    # How a run ends

    def finish(self) -> None:
        """Log the summary and what is left to read. Ends with status 1 if anything failed."""
        self.signals.ignore_further()
        context = self.sync_context
        self._report("failed" if context.failures.any else "incomplete" if context.spent else "complete")
        log_unfinished(context, self._next_sync())
        if context.failures.any:
            raise SystemExit(1)
        all_read = not (self._is_forecast or context.spent or context.failures.streams)
        if all_read and not any(stream.written for stream in self.selected_streams) and outputs_are_one_pipe():
            write_all_well()

    def _report(self, ended: Ending) -> None:
        """Show and log the summary; of a forecast or a check, which are no syncs, log only the calls."""
        summary = summary_of(self.sync_context, ended)
        self.sync_context.progress.close()
        if self._is_sync:
            self.sync_context.progress.sum_up(summary, self.logger)
        else:
            self.logger.info("%s", summary.calls_made())

    def _next_sync(self) -> str:
        """Return, for the log, where the next sync goes on if this one ends early."""
        whole = without_bookmarks(self.selected_streams)
        if not self.state_writer.has_written or len(whole) == len(self.sync_context.streams.of_tests):
            return "the next sync starts over"
        return "the next sync continues from the last STATE" + (f", but rereads {', '.join(whole)}" if whole else "")

    def _before_exit(self) -> None:
        self.status.write()
        self.state_writer.write_state()
        self._report("incomplete")

    def abort(self, message: str, *, status: int = 1) -> NoReturn:
        """End the run with one line; the messages written so far stay valid."""
        self.signals.ignore_further()
        if "sync_context" in self.__dict__:
            if self.status.write():
                self.state_writer.write_state()
            self._report("failed")
        self.logger.critical("%s", message)
        raise SystemExit(status)

    def abort_on(self, error: ApiError, line: str) -> NoReturn:
        """End the run on an error that every other call would meet as well, with `line`; a SetupError is refused."""
        if isinstance(error, SetupError):
            self.refuse(str(error))
        self.abort(f"{line}; {self._next_sync()}" if isinstance(error, LongWaitError) else line)

    def abort_without_tests(self, error: ApiError) -> NoReturn:
        """End the run, because its tests cannot be discovered."""
        named = self.sync_context.settings.workspace_ids is not None and isinstance(error, NotFoundError)
        hint = "; check workspace_ids, and whether the credentials' user is a member of each workspace" if named else ""
        self.abort_on(error, f"cannot discover the tests: {error}{hint}")

    def refuse(self, message: str) -> NoReturn:
        """End the run because of a wrong setting or file, with one line that names it."""
        self.abort(message, status=EX_CONFIG)
