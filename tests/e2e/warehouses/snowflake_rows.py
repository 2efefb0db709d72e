"""What the tables of a Snowflake schema hold, and of which types; a program of the environment `snowflake`.

    python snowflake_rows.py TARGET_CONFIG TABLE... > dump.json
    python snowflake_rows.py TARGET_CONFIG --drop

It connects as the target does, with the target's own settings. With FAKESNOW_PORT set the server is the local one.
The output is `{TABLE: {"types": {column: type}, "rows": [{column: value}]}}` with times as text and variants as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from target_snowflake.connector import SnowflakeConnector  # type: ignore[import-not-found]  # in an environment of its own

_SHOWN = {
    # As text: a client may have a time zone of its own, and fakesnow shows a time that is null as 1970.
    "TIMESTAMP_NTZ": """to_varchar({0}, 'YYYY-MM-DD"T"HH24:MI:SS.FF6')""",
    "VARIANT": "to_json({0})",
}


def main() -> None:
    """Print the dump."""
    if "FAKESNOW_PORT" in os.environ:
        importlib.import_module("snowflake_bridge")
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    schema = f"{config['database']}.{config['default_target_schema']}".upper()
    with SnowflakeConnector(config).connect() as connection:
        if sys.argv[2:] == ["--drop"]:
            connection.exec_driver_sql(f"drop schema if exists {schema}")
            return
        sys.stdout.write(json.dumps({table: _dump(connection, schema, table) for table in sys.argv[2:]}))


def _dump(connection: Any, schema: str, table: str) -> dict[str, Any]:  # noqa: ANN401 - a class of SQLAlchemy
    database, schema_name = schema.split(".")
    found = connection.exec_driver_sql(
        f"select column_name, data_type from {database}.information_schema.columns"  # noqa: S608 - names of the settings
        f" where table_schema = '{schema_name}' and table_name = '{table.upper()}' order by ordinal_position"
    )
    types: dict[str, str] = dict(found.fetchall())
    columns = ", ".join(_SHOWN.get(kind, "{0}").format(f'"{name}"') for name, kind in types.items())
    rows = []
    for row in connection.exec_driver_sql(f"select {columns} from {schema}.{table}").fetchall():  # noqa: S608 - as above
        values = {name.lower(): value for name, value in zip(types, row, strict=True)}
        for name, kind in types.items():
            if kind == "VARIANT" and values[name.lower()] is not None:
                values[name.lower()] = json.loads(values[name.lower()])
        rows.append(values)
    return {"types": {name.lower(): kind for name, kind in types.items()}, "rows": rows}


if __name__ == "__main__":
    main()
