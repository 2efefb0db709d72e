"""What a DuckDB file holds; a program of the environment `dbt`.

    python -m tests.e2e.dbt.in_duckdb FILE

It prints every row of every table and view but those of the seeds: `{"schema": {"answers": [{column: value}]}}`.
"""

from __future__ import annotations

import importlib
import json
import sys
from datetime import date
from decimal import Decimal
from typing import Any

duckdb: Any = importlib.import_module("duckdb")


def main(path: str) -> None:
    """Print them."""
    with duckdb.connect(path, read_only=True) as connection:
        query = "select table_schema, table_name from information_schema.tables"
        found: dict[str, dict[str, Any]] = {}
        for schema, name in connection.execute(query).fetchall():
            if not name.startswith("seed_"):
                rows = connection.execute(f'select * from "{schema}"."{name}"')  # noqa: S608 - names of the project
                columns = [column[0] for column in rows.description]
                held = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
                found.setdefault(schema, {})[name] = held
    print(json.dumps(found, default=_plain))  # noqa: T201 - the answer to the test


def _plain(value: object) -> object:
    """Return a value as JSON of PostgreSQL has it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"no JSON for {value!r}")


if __name__ == "__main__":
    main(sys.argv[1])
