"""The real target-snowflake with a `fakesnow` server in Snowflake's place; a program of the environment `snowflake`.

    FAKESNOW_PORT=... FAKESNOW_SCHEMA=... python snowflake_bridge.py --config FILE < messages

The target has no setting for a host, so its connections are sent to the local server here. And fakesnow has no user
stage (`PUT ... '@~/...'`, `REMOVE`) and reads no JSON files in a MERGE, so three steps are replaced: the lines of the
batch files that the target has written are put into a table with one VARIANT column, and the target's own MERGE is run
with that table in the stage's place. Its DDL, types, casts, keys, and its choice of the last row of a key stay.

What this can not show: Snowflake's own casts of odd values, its limits on size, staging, privileges, time zones of a
session, and that `ORDER BY SEQ8()` follows the order of a staged file.
"""

from __future__ import annotations

import gzip
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import snowflake.connector  # type: ignore[import-not-found]  # in an environment of its own
from target_snowflake.connector import SnowflakeConnector  # type: ignore[import-not-found]  # as above
from target_snowflake.target import TargetSnowflake  # type: ignore[import-not-found]  # as above

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SOURCE = re.compile(r"using \((select .*) from '@~/[^']*'\(file_format => .*?\) (QUALIFY .*)\) s on ")
_connect: Callable[..., Any] = snowflake.connector.connect


def _connect_here(**options: Any) -> Any:  # noqa: ANN401 - a class of the connector
    """Open a connection to fakesnow, which answers nothing sensible to a session without a schema."""
    return _connect(
        **{name: value for name, value in options.items() if name != "client_session_keep_alive"}
        | {"host": "127.0.0.1", "port": int(os.environ["FAKESNOW_PORT"]), "protocol": "http"}
        | {"schema": os.environ.get("FAKESNOW_SCHEMA", "USERTESTING")}
    )


class _Bridged:
    """The steps that work on a stage, worked on a table; they take the place of SnowflakeConnector's."""

    def put_batches_to_stage(self: SnowflakeConnector, sync_id: str, files: Sequence[str]) -> None:
        """Put the lines of the target's batch files into a table, in their order."""
        lines: list[str] = []
        for file in files:
            with gzip.open(unquote(urlsplit(file).path), "rt", encoding="utf-8") as batch:
                lines += filter(str.strip, batch)
        create = f"create table {_table(sync_id)} as select index as place, value as line"
        with self._connect() as connection, connection.begin():
            connection.exec_driver_sql(
                f"{create} from lateral flatten(input => parse_json(%s))", (f"[{','.join(lines)}]",)
            )

    def merge_from_stage(self: SnowflakeConnector, *, sync_id: str, **names: object) -> int:
        """Run the target's MERGE with the table in the stage's place; return the number of rows merged.

        fakesnow takes a MERGE from a table only, so what the target selects is made one first.
        """
        statement = str(self._get_merge_from_stage_statement(sync_id=sync_id, **names)[0])
        source = _SOURCE.search(statement)
        assert source is not None, f"target-snowflake's MERGE has changed: {statement}"
        select, last_of_key = source.groups()
        select = f"{select} from {_table(sync_id)} {last_of_key}".replace("$1:", "line:").replace("SEQ8()", "place")
        merge = statement.replace(source[0], f"using {_table(sync_id)}_rows s on ")
        with self._connect() as connection, connection.begin():
            connection.exec_driver_sql(f"create table {_table(sync_id)}_rows as {select}")
            connection.exec_driver_sql(merge)
            count = f"select count(*) from {_table(sync_id)}_rows"  # noqa: S608 - a name of ours
            return int(connection.exec_driver_sql(count).scalar_one())

    def remove_staged_files(self: SnowflakeConnector, sync_id: str) -> None:
        """Drop the tables that stood for the stage."""
        with self._connect() as connection, connection.begin():
            for name in (_table(sync_id), f"{_table(sync_id)}_rows"):
                connection.exec_driver_sql(f"drop table if exists {name}")

    def nothing(self, **_: object) -> None:
        """Do what a table needs of a file format."""


def _table(sync_id: str) -> str:
    """Return a table's name for a batch: batches of several streams are loaded side by side."""
    return "staged_" + re.sub(r"\W", "_", sync_id)


snowflake.connector.connect = _connect_here
for step in ("put_batches_to_stage", "merge_from_stage", "remove_staged_files"):
    setattr(SnowflakeConnector, step, getattr(_Bridged, step))
for step in ("create_file_format", "drop_file_format"):
    setattr(SnowflakeConnector, step, _Bridged.nothing)

if __name__ == "__main__":
    TargetSnowflake.cli()
