"""The command line: its options, the settings in their three forms, and the files that users pass.

It overrides the SDK's `Tap` where that would end in a traceback or misread a value. `sdk.py` lists each override and
its reason.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.request import getproxies

import click
from singer_sdk import Tap
from singer_sdk.cli import plugin_cli
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_usertesting.api.redaction import Secrets, log_crashes
from tap_usertesting.config.environment import Environment, remove_invalid_log_levels
from tap_usertesting.config.schema import SDK_SETTINGS, SECRETS
from tap_usertesting.config.settings import URLS
from tap_usertesting.config.validation import SettingsError, tidy, unknown, violations
from tap_usertesting.report.progress import has_terminal
from tap_usertesting.report.terminal import quiet_console
from tap_usertesting.singer.input_files import drop_unsound, read_catalog, read_config, read_state

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from singer_sdk.plugin_base import SingerCommand, _ConfigInput

    from tap_usertesting.sync.termination_signals import Signals

PREFIX = "TAP_USERTESTING_"  # of the environment variables
ENV = "ENV"  # as --config: read the environment
EX_CONFIG = 78  # exit status for a wrong setting or file, from sysexits.h: a retry would fail the same way


class CommandLineTap(Tap):
    """A tap with a command line; what each command does is up to the tap itself."""

    secrets: Secrets
    signals: Signals

    def plan(self, form: str) -> None:
        """Write the plan of a sync; `form`: `short`, `full` or `json`."""
        raise NotImplementedError

    def diagnose(self) -> NoReturn:
        """Check the tap's assumptions about the servers, and write a report."""
        raise NotImplementedError

    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - as in the SDK
        """Set up the log, even if the environment holds a wrong log level or config, and return the command."""
        odd = list(remove_invalid_log_levels(PREFIX))
        try:
            command = super().cli
        except Exception as error:  # noqa: BLE001 - a wrong logging config may raise anything
            odd.append(f"SINGER_SDK_LOG_CONFIG: not a valid logging config; ignored ({type(error).__name__})")
            command = cls.get_singer_command()
        for line in odd:
            cls.logger.warning("%s", line)
        return command

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = cast("SingerCommand", super().get_singer_command())
        log_crashes(command.excepthook)  # now, because --discover runs while the SDK reads the options
        for option in command.params:
            if option.name in {"catalog", "state"}:
                option.type = click.STRING  # `invoke` reads the file, so that an error in it is one line
            elif option.name == "test":
                option.callback, option.expose_value = None, True  # a callback would not see the other options
        command.params.append(
            click.Option(
                ["--plan"],
                is_flag=False,
                flag_value="short",
                type=click.Choice(["short", "full", "json"]),
                help=(
                    "Show what a sync would fetch, with calls and time, and fetch nothing: short (default) prints one "
                    "line per test, full one line per test and stream, json one JSON object."
                ),
            )
        )
        command.params.append(
            click.Option(
                ["--doctor"],
                is_flag=True,
                help="Check the tap's assumptions about the servers, and write a report without any of your data.",
            )
        )
        return command

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        given = super().cb_config(ctx, param, tuple(path for path in value if path == ENV))
        with exit_on_settings_error(cls.logger):
            for path in value:
                given.config |= {} if path == ENV else read_config(path)
        return given

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # files are read here, not by click
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput,
        state: str | None = None,
        catalog: str | None = None,
        test: str = CliTestOptionValue.Disabled.value,
        plan: str | None = None,
        doctor: bool = False,
    ) -> None:
        """Run a sync, `--test`, `--plan` or `--doctor`."""
        if about:
            super().invoke(about=True, about_format=about_format)
        if (test != CliTestOptionValue.Disabled.value) + (plan is not None) + doctor > 1:
            raise click.UsageError("--test, --plan and --doctor are mutually exclusive; use one of them")
        if test == CliTestOptionValue.Disabled.value and (has_terminal() if plan is None else sys.stderr.isatty()):
            quiet_console(PREFIX)
        cls.print_version(print_fn=cls.logger.info)
        with exit_on_settings_error(cls.logger):
            begin = None if state is None else read_state(state, cls.logger.info)
            chosen = None if catalog is None else read_catalog(catalog)
        tap = cls(config=config.config, state=begin, catalog=chosen, parse_env_config=config.parse_env)
        tap.signals.ends_process = True
        if plan is not None:
            tap.plan(plan)
        elif doctor:
            tap.diagnose()
        elif test == CliTestOptionValue.Schema.value:
            tap.write_schemas()
        elif test != CliTestOptionValue.Disabled.value:
            tap.run_connection_test()
        else:
            tap.sync_all()

    # Settings and state

    @property
    def _schema(self) -> dict[str, Any]:
        """The schema of all settings that have an effect, including those of the SDK."""
        self.append_builtin_config(self.config_jsonschema)
        return {**self.config_jsonschema, "properties": SDK_SETTINGS | self.config_jsonschema["properties"]}

    @property
    def _env_var_config(self) -> dict[str, Any]:
        """The settings in the environment, read here because the SDK misreads some."""
        names = self._schema["properties"]
        with exit_on_settings_error(self.logger):
            environment = Environment(PREFIX)
        for variable, meant in environment.misspelt(names).items():
            self.logger.warning(
                "environment variable %s is not a setting and is ignored; did you mean %s?", variable, meant
            )
        return environment.settings(names)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Convert the settings to the types of the schema; refuse each that does not fit, with a line that names it.

        This happens for `--discover` as well, because settings decide which streams the catalog has.
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
        with exit_on_settings_error(self.logger):
            if errors := violations(self._config, schema):
                for error in errors[:-1]:
                    self.logger.critical("%s", error)
                raise SettingsError(errors[-1])
        return []

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(drop_unsound(state, self.logger.warning))

    @override
    def _setup_signal_handlers(self) -> None:
        """Do nothing: the caller's handlers stay until a run begins."""


@contextmanager
def exit_on_settings_error(logger: logging.Logger) -> Iterator[None]:
    """End with one line and status 78 if the block raises SettingsError."""
    try:
        yield
    except SettingsError as error:
        logger.critical("%s", error)
        raise SystemExit(EX_CONFIG) from None
