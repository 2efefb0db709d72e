"""What the tables of a DuckDB file hold, and of which types; a program of the environment `duckdb`.

    python duckdb_rows.py TARGET_CONFIG TABLE... > dump.json

The output is `{TABLE: {"types": {column: type}, "rows": [{column: value}]}}` with times as text.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb  # type: ignore[import-not-found]  # in an environment of its own


def main() -> None:
    """Print the dump."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with duckdb.connect(config["filepath"], read_only=True) as connection:
        schema = config["default_target_schema"]
        sys.stdout.write(json.dumps({table: _dump(connection, schema, table) for table in sys.argv[2:]}))


def _dump(connection: Any, schema: str, table: str) -> dict[str, Any]:  # noqa: ANN401 - a class of DuckDB
    connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = ? and table_name = ? order by ordinal_position",
        [schema, table],
    )
    types: dict[str, str] = dict(connection.fetchall())
    connection.execute(f'select * from "{schema}"."{table}"')  # noqa: S608 - names of the settings
    rows = [
        {name: _shown(value, types[name]) for name, value in zip(types, row, strict=True)}
        for row in connection.fetchall()
    ]
    return {"types": types, "rows": rows}


def _shown(value: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
    if kind == "JSON" and value is not None:
        return json.loads(value)
    return value.isoformat() if isinstance(value, datetime) else value


if __name__ == "__main__":
    main()
