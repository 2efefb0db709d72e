"""Whether compiled SQL is of a dialect, and asks only for columns that exist; a program of the environment `snowflake`.

    python -m tests.e2e.dbt.columns DIALECT MANIFEST

Every statement of dbt's manifest is read by sqlglot's parser of the dialect. Each column must be one of a table that
the tap's schema files describe, or of a model before it, and of one table only. It prints how many statements were
read, and what is wrong with others: `{"read": 93, "wrong": {"node": "message"}}`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[3] / "schemas"
# What dbt adds to a snapshot.
HISTORY = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")

sqlglot: Any = importlib.import_module("sqlglot")
qualify: Any = importlib.import_module("sqlglot.optimizer.qualify").qualify

Tables = dict[str, dict[str, dict[str, dict[str, str]]]]


def main(dialect: str, manifest: Path) -> None:
    """Print what was found."""
    found = json.loads(manifest.read_text(encoding="utf-8"))
    tables: Tables = {}
    for source in found["sources"].values():
        schema = json.loads((SCHEMAS / f"{source['name']}.json").read_text(encoding="utf-8"))
        _add(tables, source, schema["properties"])
    read, wrong = 0, {}
    for node in in_order(found["nodes"]):
        if node["resource_type"] == "seed":
            _add(tables, node, node["config"]["column_types"])
            continue
        if node["resource_type"] == "snapshot":
            (of,) = (found["nodes"][name] for name in node["depends_on"]["nodes"])
            _add(tables, node, [*tables[of["database"]][of["schema"]][of["name"]], *HISTORY])
            continue
        if node["resource_type"] == "test" and not node["depends_on"]["nodes"]:
            continue  # of a model that is switched off
        try:
            statement = sqlglot.parse_one(node["compiled_code"], dialect=dialect)
            statement = qualify(statement, schema=tables, dialect=dialect)
        except sqlglot.errors.SqlglotError as error:
            wrong[node["name"]] = str(error)
            continue
        read += 1
        if node["resource_type"] == "model":
            _add(tables, node, [name.lower() for name in statement.named_selects])
    print(json.dumps({"read": read, "wrong": wrong}))  # noqa: T201 - the answer to the test


def in_order(nodes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return nodes so that each stands behind those it depends on."""
    ordered: dict[str, dict[str, Any]] = {}
    while len(ordered) < len(nodes):
        for name, node in nodes.items():
            if name not in ordered and all(on in ordered for on in node["depends_on"].get("nodes", ()) if on in nodes):
                ordered[name] = node
    return list(ordered.values())


def _add(tables: Tables, node: dict[str, Any], columns: Any) -> None:  # noqa: ANN401 - any iterable of names
    """Make a table known. The types are of no account: columns are told by their names."""
    tables.setdefault(node["database"], {}).setdefault(node["schema"], {})[node["name"]] = dict.fromkeys(
        columns, "text"
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
