"""The models' Snowflake SQL, run by fakesnow; a program of the environment `snowflake`.

    python -m tests.e2e.dbt.on_fakesnow MANIFEST MESSAGES

The tap's messages go into tables with the columns that target-snowflake would make; then every model of dbt's manifest
is created from its compiled SQL. It prints the marts: `{"task_results": [{column: value}]}`.

fakesnow turns Snowflake's SQL into DuckDB's. So this shows what the statements mean to somebody else who knows the
dialect, not what Snowflake does. The snapshot is dbt's own statement and not run: its table is made of current rows.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.e2e.dbt.columns import in_order

fakesnow: Any = importlib.import_module("fakesnow")
connector: Any = importlib.import_module("snowflake.connector")


def main(manifest: Path, messages: Path) -> None:
    """Print the marts."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))
    tables = {source["name"]: source["relation_name"] for source in nodes["sources"].values()}
    models = [node for node in in_order(nodes["nodes"]) if node["resource_type"] in {"model", "snapshot"}]
    warnings.simplefilter("ignore")  # of DuckDB, about what fakesnow asks it
    with fakesnow.patch():
        for node in (*nodes["sources"].values(), *models):
            # fakesnow makes what a connection names.
            connection = connector.connect(database=node["database"], schema=node["schema"])
        cursor = connection.cursor(connector.DictCursor)
        for lacking in ("is_object", "is_array"):
            kind = lacking.removeprefix("is_").upper()
            connection._duck_conn.execute(f"create temp macro {lacking}(v) as json_type(v) = '{kind}'")  # noqa: SLF001 - fakesnow has no other way to add a function
        lines = [json.loads(line) for line in messages.read_text(encoding="utf-8").splitlines()]
        for message in lines:
            if message["type"] == "SCHEMA":
                records = [m["record"] for m in lines if m["type"] == "RECORD" and m["stream"] == message["stream"]]
                _fill(cursor, tables[message["stream"]], message, records)
        marts = {}
        for node in models:
            cursor.execute(f"create table {node['relation_name']} as {_select(node)}")
            if node["fqn"][1] == "marts":
                cursor.execute(f"select * from {node['relation_name']}")  # noqa: S608 - a name of the project
                marts[node["name"]] = [{key.lower(): value for key, value in row.items()} for row in cursor.fetchall()]
    print(json.dumps(marts, default=_plain))  # noqa: T201 - the answer to the test


def _fill(cursor: Any, table: str, message: dict[str, Any], records: list[dict[str, Any]]) -> None:  # noqa: ANN401 - a class of the connector
    """Create a table and put the last record of each key into it."""
    last = {tuple(record[key] for key in message["key_properties"]): record for record in records}
    types = {name: _type(node) for name, node in message["schema"]["properties"].items()}
    cursor.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
    values = ", ".join(f"get_path(value, '{name}')::{kind}" for name, kind in types.items())
    source = "table(flatten(input => parse_json(%s)))"
    cursor.execute(f"insert into {table} select {values} from {source}", (json.dumps(list(last.values())),))  # noqa: S608 - names of the schema files


def _type(node: dict[str, Any]) -> str:
    """Return the type of a column as target-snowflake chooses it."""
    if node.get("format") == "date-time":
        return "timestamp_ntz"
    kinds = {"object": "variant", "array": "variant", "number": "double", "integer": "bigint"}
    return next((kinds[kind] for kind in node["type"] if kind in kinds), "varchar")


def _select(node: dict[str, Any]) -> str:
    if node["resource_type"] == "model":
        return str(node["compiled_code"])
    history = "fetched_at as dbt_valid_from, cast(null as timestamp_ntz) as dbt_valid_to"
    return f"select *, {history} from ({node['compiled_code']})"  # noqa: S608 - dbt's own select


def _plain(value: object) -> object:
    """Return a value as JSON of PostgreSQL has it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"no JSON for {value!r}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
