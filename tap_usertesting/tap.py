"""The tap: its settings, its streams in their order, when STATE is written and how a run ends.

`RESTStream` and the SDK's `OAuthAuthenticator` are not used. They page one endpoint per stream, know neither a shared
quota nor `Retry-After`, never renew a token after a 401 or before it ends, do not retry the first token call, ignore
`REQUESTS_CA_BUNDLE`, and keep authenticators in a singleton that leaks credentials between two taps of one process.
Here one transport serves every stream, and a stream is a way from a change to a record.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from fnmatch import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast
from urllib.request import getproxies

import click
import msgspec
from singer_sdk import Tap
from singer_sdk.cli import plugin_cli
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.singerlib import Catalog, StateMessage
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_usertesting.api.errors import (
    ApiError,
    BudgetSpentError,
    LongWaitError,
    NotFoundError,
    RunEndsError,
    SetupError,
)
from tap_usertesting.api.redaction import Secrets, log_crashes
from tap_usertesting.changes.facts import TestFacts
from tap_usertesting.changes.reader import ChangeReader
from tap_usertesting.config.environment import Environment, drop_odd_log_levels
from tap_usertesting.config.schema import SCHEMA, SECRETS, UNNAMED
from tap_usertesting.config.settings import URLS, Settings
from tap_usertesting.config.validation import SettingsError, tidy, unknown, violations
from tap_usertesting.singer.base import FULL_TABLE, PerTestStream, UserTestingStream, in_words
from tap_usertesting.singer.files import read_catalog, read_config, read_state, sound
from tap_usertesting.singer.ledger_stream import LedgerStream
from tap_usertesting.singer.side_by_side import sync_side_by_side
from tap_usertesting.singer.writer import WholeLineWriter, outputs_are_one_pipe
from tap_usertesting.streams.discovered import TestsStream, WorkspacesStream
from tap_usertesting.streams.media import HighlightReelsStream, SessionClipsStream, SessionVideosStream
from tap_usertesting.streams.qx_scores import QxScoresStream
from tap_usertesting.streams.result_changes import ResultChangesStream
from tap_usertesting.streams.session_details import (
    ParticipantDemographicsStream,
    SessionDetailsStream,
    TaskResponsesStream,
)
from tap_usertesting.streams.sessions import SessionsStream
from tap_usertesting.streams.transcripts import TranscriptCuesStream, TranscriptsStream
from tap_usertesting.sync.check import Check
from tap_usertesting.sync.context import Run
from tap_usertesting.sync.forecast import forecast
from tap_usertesting.sync.schedule import Schedule
from tap_usertesting.sync.signals import Signals
from tap_usertesting.sync.standings import Standings

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from singer_sdk.plugin_base import SingerCommand, _ConfigInput

    from tap_usertesting.api.feed import Ask
    from tap_usertesting.changes.listing import SessionList
    from tap_usertesting.report.summary import Ending
    from tap_usertesting.sync.partition import Partition

# The cheap tables first, so that a user sees something early; the SDK alone would sort by name.
STREAMS = (
    WorkspacesStream,
    TestsStream,
    SessionsStream,
    ResultChangesStream,
    QxScoresStream,
    HighlightReelsStream,
    SessionDetailsStream,
    TaskResponsesStream,
    ParticipantDemographicsStream,
    TranscriptsStream,
    TranscriptCuesStream,
    SessionClipsStream,
    SessionVideosStream,
)
STATE_EVERY = 1.0  # seconds; what a kill may repeat
DEEPEST = 10  # levels that flattening goes down to if no setting says how many; no schema has more
PREFIX = "TAP_USERTESTING_"  # of the variables
ENV = "ENV"  # in the place of a config file: the environment
# `meltano config test` is a sync whose messages and log share a pipe, and passes with the first RECORD in it. A sync
# that finds nothing new says so there, where no target can be reading.
ALL_WELL = {"type": "RECORD", "stream": "check", "record": {"result": "all tests can be read, nothing is new"}}
EX_CONFIG = 78  # exit status for wrong settings and files, from sysexits.h: a second try would end alike


class TapUserTesting(Tap):
    """Reads UserTesting's Results API and response change feed: sessions, details, transcripts, QXscores, changes."""

    name = "tap-usertesting"
    config_jsonschema: ClassVar[dict[str, Any]] = deepcopy(SCHEMA)  # the SDK adds its own settings to it
    # At a few calls a minute batches gain nothing, and the SDK's way of making them leaves masks and maps out.
    capabilities: ClassVar[list[Any]] = [one for one in Tap.capabilities if one is not PluginCapabilities.BATCH]
    message_writer_class = WholeLineWriter

    def __init__(self, *, config: Any = None, catalog: Any = None, state: Any = None, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own arguments
        """Build the tap; nothing is read and no connection made before a sync.

        Ends with status 78 if a setting is wrong; one that is missing is missed when a sync begins.
        """
        self._warned: set[str] = set()
        self.secrets = Secrets()
        self.signals = Signals(
            run=lambda: self.__dict__.get("run"), last_words=self._last_words, next_sync=self._next_sync
        )
        self.planning = False
        self.spent = ""  # which budget of the run is used up
        self._state_due = 0.0
        self._written = b""
        self._moved: dict[Partition, None] = {}  # since the last STATE
        self._given_up: dict[tuple[str, str], list[str]] = {}  # sessions by stream and test
        # The SDK and the streams write into what they are given.
        super().__init__(config=deepcopy(config), catalog=deepcopy(catalog), state=deepcopy(state), **kwargs)

    @override
    def discover_streams(self) -> Sequence[Stream]:
        links = self.config.get("video_links") is True
        return [stream(self) for stream in STREAMS if links or stream is not SessionVideosStream]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        if self._streams is None:
            found = super().streams
            self._streams = {stream.name: found[stream.name] for stream in STREAMS if stream.name in found}
        return self._streams

    @property
    def chosen(self) -> list[UserTestingStream]:
        """The selected streams, in their order."""
        return [stream for stream in self.streams.values() if isinstance(stream, UserTestingStream) and stream.selected]

    @override
    def setup_mapper(self) -> None:
        """Set the stream maps up for the selected streams: of others the SDK knows no columns, and maps fail.

        A stream of which maps leave nothing counts as not selected, so it costs no call.
        """
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
        self._check_aliases()
        for stream in self.chosen:
            if stream.is_mapped_away:
                stream.selected = False
                self.logger.info("%s: stream_maps leave nothing of it, so it is not read", stream.name)
        for source in map_sources(self._config.get("stream_maps", {})):
            if not any(fnmatch(name, source) for name in self.streams):
                self.logger.warning("stream_maps: %s is no stream of this tap, and has no effect", source)

    def _check_aliases(self) -> None:
        """Refuse stream maps that write two streams under one name: rows of one would replace those of the other."""
        written: dict[str, str] = {}
        for stream in self.chosen:
            for alias in stream.aliases:
                if (other := written.setdefault(alias, stream.name)) != stream.name:
                    self.refuse(f"stream_maps: {other} and {stream.name} would both be written as {alias}")

    # What a sync shares

    @cached_property
    def run(self) -> Run:
        """The clients and what they have read. A wrong setting ends the run with one line."""
        try:
            settings = Settings.parse(self.config, selected=[stream.name for stream in self.chosen])
        except SettingsError as error:
            self.refuse(str(error))
        if settings.start_date is not None and self.state.get("bookmarks"):
            self.logger.info(
                "start_date is %s: tests that have a bookmark go on from it; moving start_date back takes effect only "
                "with a full refresh or a cleared bookmark",
                settings.start_date,
            )
        if self.planning:
            settings = replace(settings, max_calls=None, max_duration=None)  # a plan says what all of it costs
        self._check_budget(settings)
        return Run(
            settings,
            write_state=self.write_state,
            checkpoint=self.signals.stop_if_one_came,
            secrets=self.secrets,
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
        return [
            stream.name
            for stream in self.chosen
            if isinstance(stream, PerTestStream) and stream.replication_method == FULL_TABLE
        ]

    @cached_property
    def changes(self) -> ChangeReader:
        """The change logs of every test, read once for all streams."""
        return ChangeReader(
            results=self.run.results,
            feed=self.run.feed,
            now=self.run.now,
            lookback_hours=self.run.settings.lookback_hours,
            wanted=self._wanted,
            needs=self._needs,
            listener=self.run,
            turns=self.run.turns,
        )

    @cached_property
    def facts(self) -> TestFacts:
        """What is asked of a test besides its changes."""
        return TestFacts(self.run, self.changes)

    def _selected(self) -> list[PerTestStream]:
        return [stream for stream in self.chosen if isinstance(stream, PerTestStream)]

    def after(self, stream: PerTestStream) -> list[PerTestStream]:
        """Return the selected streams whose turn is after this one's."""
        streams = [other for other in self.streams.values() if isinstance(other, PerTestStream)]
        return [other for other in streams[streams.index(stream) + 1 :] if other.selected]

    def _wanted(self) -> list[list[Ask]]:
        """Return what the selected streams will ask of the feed, test by test."""
        per_test: dict[str, list[Ask]] = {}
        for stream in self._selected():
            tests = stream.test_ids()
            for test_id in tests[:1] if stream.sampling else tests:
                per_test.setdefault(test_id, []).extend(stream.asks(test_id))
        return [asks for asks in per_test.values() if asks]

    def _needs(self, test_id: str) -> Iterable[Callable[[SessionList], bool]]:
        for stream in self._selected():
            if test_id in self.run.directory.product_types:
                need = stream.list_need(test_id)
                if need is not None:
                    yield need

    # Whose turn it is

    @cached_property
    def standings(self) -> Standings:
        """What is known of each test."""
        streams = [stream for stream in self._selected() if isinstance(stream, LedgerStream)]
        return Standings(self.run, streams, lambda: self.changes)

    @cached_property
    def schedule(self) -> Schedule:
        """The order of the tests, the same for all streams."""
        schedule = Schedule(monotonic=self.run.monotonic, look=self.standings.look)
        self.run.place = schedule.place
        return schedule

    # What ends a test, or the run

    @contextmanager
    def guarded(self, test_id: str) -> Iterator[None]:
        """Have an error of an API end this test only; bad credentials and a dead network end the run."""
        try:
            yield
        except BudgetSpentError as error:
            self.spent = str(error)
        except RunEndsError as error:
            self.end_over(error, str(error))
        except ApiError as error:
            if isinstance(error, NotFoundError):
                self.changes.lost(test_id, error)
            self.run.fail(error, test_id=test_id)

    @contextmanager
    def discovering(self) -> Iterator[None]:
        """End the run where its tests can not be known; a budget that is used up ends discovery."""
        try:
            yield
        except BudgetSpentError as error:
            self.spent = str(error)
        except ApiError as error:
            self.no_discovery(error)

    # STATE

    def write_state(self) -> None:
        """Write STATE if anything moved; the order of `waiting` counts, which the SDK's own comparison does not see."""
        if self.planning:
            return
        for partition in self._moved:
            partition.save()
        self._moved.clear()
        state = msgspec.json.encode(self.state)
        if self.state and state != self._written:
            self._written = state
            self.write_message(StateMessage(value=self.state))
        self._state_due = time.monotonic() + STATE_EVERY

    def moved(self, partition: Partition) -> None:
        """Note that a partition has to be saved before the next STATE."""
        self._moved[partition] = None

    def given_up(self, stream: str, test_id: str, session_id: str) -> None:
        """Note a session that is not looked for any more."""
        self._given_up.setdefault((stream, test_id), []).append(session_id)

    def after_record(self) -> None:
        """Write STATE if it is due, and stop if a signal came while the record was written."""
        if time.monotonic() >= self._state_due:
            self.write_state()
        self.run.progress.tick()
        self.signals.stop_if_one_came()

    # Command line

    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - as in the SDK
        """Set up the log, whatever the environment says of it, and return the command."""
        odd = list(drop_odd_log_levels(PREFIX))
        try:
            command = super().cli
        except Exception as error:  # noqa: BLE001 - whatever a logging config can be
            odd.append(f"SINGER_SDK_LOG_CONFIG: it is no logging config, and has no effect ({type(error).__name__})")
            command = cls.get_singer_command()
        for line in odd:
            cls.logger.warning("%s", line)
        return command

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = cast("SingerCommand", super().get_singer_command())
        log_crashes(command.excepthook)  # now, as --discover runs while the SDK reads the options
        for option in command.params:
            if option.name in {"catalog", "state"}:
                option.type = click.STRING  # read here, so that what is wrong with a file is one line
            elif option.name == "test":
                option.callback, option.expose_value = None, True  # which would not see the other options
        command.params.append(
            click.Option(
                ["--plan"],
                is_flag=False,
                flag_value="table",
                type=click.Choice(["table", "json"]),
                help="Say what a sync would fetch, in how many calls and how much time, and fetch nothing.",
            )
        )
        return command

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        given = super().cb_config(ctx, param, tuple(path for path in value if path == ENV))
        with _refusing(cls.logger):
            for path in value:
                given.config |= {} if path == ENV else read_config(path)
        return given

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # the files are read here, and not by click
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput,
        state: str | None = None,
        catalog: str | None = None,
        test: str = CliTestOptionValue.Disabled.value,
        plan: str | None = None,
    ) -> None:
        """Sync, check what a sync needs, or say what it would do."""
        if about:
            super().invoke(about=True, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        with _refusing(cls.logger):
            begin = None if state is None else read_state(state, cls.logger.info)
            chosen = None if catalog is None else read_catalog(catalog)
        tap = cls(config=config.config, state=begin, catalog=chosen, parse_env_config=config.parse_env)
        tap.signals.ends_process = True
        if plan is not None:
            with tap.signals.taken():
                planned = forecast(tap)
                sys.stdout.write(f"{planned.as_json() if plan == 'json' else planned.as_table()}\n")
                tap.end()
        elif test == CliTestOptionValue.Schema.value:
            tap.write_schemas()
        elif test != CliTestOptionValue.Disabled.value:
            tap.run_connection_test()
        else:
            tap.sync_all()

    # How a run ends

    def sync_all(self) -> None:  # type: ignore[misc]  # final for the type checker only; the exit status is ours
        """Sync all streams; ends with status 1 when anything failed."""
        with self.signals.taken():
            _ = self.run  # wrong settings end here, before any message
            self._written = msgspec.json.encode(self.state) if self.state else b""  # the SDK repeats it first
            try:
                if self.run.settings.parallel_streams:
                    sync_side_by_side(self)
                else:
                    super().sync_all()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's flush fails too
                self.give_up(f"the target has closed the pipe: its own log says why; {self._next_sync()}")
            finally:
                self.run.progress.close()
            self.end()

    def run_connection_test(self) -> bool:  # type: ignore[misc]  # as above
        """Check what a sync needs, then emit at most one record per selected stream; status 1 when all is not well."""
        with self.signals.taken():
            try:
                Check(self.run, self.changes, newest=self.facts.newest).run()
            except RunEndsError as error:
                self.end_over(error, f"check: {error}")
            except ApiError as error:
                self.no_discovery(error)
            self.run_sync_dry_run(streams=self.chosen)
            self.end()
        return True

    def write_schemas(self) -> None:  # type: ignore[misc]  # as above
        """Write the SCHEMA of each selected stream."""
        for stream in self.chosen:
            stream._write_schema_message()  # noqa: SLF001 - as the SDK does

    def end(self) -> None:
        """Say what was spent; ends with status 1 when anything failed."""
        self.signals.settle()
        self._report("failed" if self.run.failed else "incomplete" if self.spent else "complete")
        for (stream, test_id), sessions in self._given_up.items():
            self.logger.warning(
                "%s, test %s: %d sessions that were announced are still not found and are given up, such as %s",
                stream,
                test_id,
                len(sessions),
                sessions[0],
            )
        if self.spent and self.run.only_listed:
            self.logger.warning(
                "%s before any session was asked for: the session lists alone use it up; each sync goes on with the "
                "tests that were not asked for the longest time, but a larger budget brings news sooner",
                self.spent,
            )
        if self.spent:
            self.logger.warning("incomplete: %s; %s", self.spent, self._next_sync())
        if self.run.failed:
            raise SystemExit(1)
        all_read = not (self.planning or self.spent or self.run.failing)
        news = any(stream.emitted + stream.tombstoned for stream in self.chosen)
        if all_read and not news and outputs_are_one_pipe():
            sys.stderr.write(f"{json.dumps(ALL_WELL)}\n")

    def _report(self, ended: Ending) -> None:
        """Say what came of the run, on a terminal that the bar has left."""
        self.run.progress.close()
        summary = self.run.summary(ended, self.chosen)
        if self.planning:  # what it foresees has not come about
            self.logger.info("%s", summary.calls_made())
        else:
            summary.log(self.logger)

    def _next_sync(self) -> str:
        """Return where the next sync goes on after this one was cut short, for people."""
        whole = self._without_state
        if not self._written or len(whole) == len(self._selected()):
            return "the next sync starts over"
        return "the next sync goes on from the last STATE" + (f", but reads {', '.join(whole)} anew" if whole else "")

    def give_up(self, message: str, *, status: int = 1) -> NoReturn:
        """End the run with one line; what was written before stays good."""
        self.signals.settle()
        if "run" in self.__dict__:
            self._report("failed")
        self.logger.critical("%s", message)
        raise SystemExit(status)

    def end_over(self, error: ApiError, line: str) -> NoReturn:
        """End the run over an error that any other call would meet too, with this line, or as the environment's."""
        if isinstance(error, SetupError):
            self.refuse(str(error))
        self.give_up(f"{line}; {self._next_sync()}" if isinstance(error, LongWaitError) else line)

    def refuse(self, message: str) -> NoReturn:
        """End the run over a wrong setting or file, with one line that names it."""
        self.give_up(message, status=EX_CONFIG)

    def no_discovery(self, error: ApiError) -> NoReturn:
        """End the run, as it can not know its tests."""
        named = self.run.settings.workspace_ids is not None and isinstance(error, NotFoundError)
        hint = "; check workspace_ids, and that the credentials' user is a member of each" if named else ""
        self.end_over(error, f"the tests can not be discovered: {error}{hint}")

    def warn_once(self, message: str) -> None:
        """Write a warning, once a run."""
        if message not in self._warned:
            self._warned.add(message)
            self.logger.warning("%s", message)

    @override
    def _setup_signal_handlers(self) -> None:
        """Leave the caller's handlers alone until a run begins."""

    def _last_words(self) -> None:
        self.write_state()
        self._report("incomplete")

    # Settings and state

    @property
    def _schema(self) -> dict[str, Any]:
        """The schema of all settings that have an effect, those of the SDK among them."""
        self.append_builtin_config(self.config_jsonschema)
        return {**self.config_jsonschema, "properties": UNNAMED | self.config_jsonschema["properties"]}

    @property
    def _env_var_config(self) -> dict[str, Any]:
        """The settings in the environment, in place of the SDK's reading of it."""
        names = self._schema["properties"]
        with _refusing(self.logger):
            environment = Environment(PREFIX)
        for variable, meant in environment.misspelt(names).items():
            self.logger.warning("the variable %s is no setting and has no effect; is %s meant?", variable, meant)
        return environment.settings(names)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Bring the settings into the schema's types; what cannot be is refused, each with a line that names it.

        At discovery too: the catalog follows settings, and a word that is misread there would lack a stream.
        """
        schema = self._schema
        self._config = tidy(self._config, schema)
        for name in SECRETS:
            if isinstance(secret := self._config.get(name), str):
                self.secrets.keep(secret)
        for url in (*(self._config.get(name) for name in URLS), *getproxies().values()):
            self.secrets.keep_url(url)
        for line in unknown(self._config, schema):
            self.logger.warning("%s", line)
        self._config = {name: value for name, value in self._config.items() if name in schema["properties"]}
        with _refusing(self.logger):
            if errors := violations(self._config, schema):
                for error in errors[:-1]:
                    self.logger.critical("%s", error)
                raise SettingsError(errors[-1])
        return []

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(sound(state, self.warn_once))


def map_sources(maps: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stream, or the pattern of streams, that each entry of `stream_maps` is about."""
    for name, inner in maps.items():
        if name != "__else__":
            yield str(inner.get("__source__", name)) if isinstance(inner, dict) else name


@contextmanager
def _refusing(logger: logging.Logger) -> Iterator[None]:
    """End with one line and status 78 over a wrong setting or file."""
    try:
        yield
    except SettingsError as error:
        logger.critical("%s", error)
        raise SystemExit(EX_CONFIG) from None
