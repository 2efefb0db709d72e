"""What the tables of a BigQuery dataset hold, and of which types; a program of the environment `bigquery`.

    python bigquery_rows.py TARGET_CONFIG TABLE... > dump.json
    python bigquery_rows.py TARGET_CONFIG --drop

It connects as the target does, with the target's own settings.
The output is `{TABLE: {"types": {column: type}, "rows": [{column: value}]}}` with times as text.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from target_bigquery.core import (  # type: ignore[import-not-found]  # in an environment of its own
    BigQueryCredentials,
    bigquery_client_factory,
)


def main() -> None:
    """Print the dump."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    credentials = (config.get("credentials_path"), config.get("credentials_json"), config["project"])
    client = bigquery_client_factory(BigQueryCredentials(*credentials))
    if sys.argv[2:] == ["--drop"]:
        client.delete_dataset(f"{config['project']}.{config['dataset']}", delete_contents=True, not_found_ok=True)
        return
    dump = {}
    for name in sys.argv[2:]:
        table = client.get_table(f"{config['project']}.{config['dataset']}.{name}")
        rows = [dict(row.items()) for row in client.list_rows(table)]
        dump[name] = {"types": {field.name: _type(field) for field in table.schema}, "rows": rows}
    sys.stdout.write(json.dumps(dump, default=_json))


def _type(field: Any) -> str:  # noqa: ANN401 - a class of the client
    return f"{field.field_type} REPEATED" if field.mode == "REPEATED" else str(field.field_type)


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    main()
