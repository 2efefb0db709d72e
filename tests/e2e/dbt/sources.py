"""The sources of the dbt package, described as the schemas do: `python -m tests.published` writes them anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_usertesting.streams.catalog import STREAMS
from tests.e2e.dbt.seeds import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whose tables are there only if somebody asks for them; each has a variable of the project.
OPTIONAL = frozenset(stream.name for stream in STREAMS if not stream.selected_by_default or stream.setting)


def text() -> str:
    """Return what the file must hold."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Written by `python -m tests.published` in the repository of the tap, from its schemas.\n"
    yield "version: 2\n\nsources:\n"
    yield "  - name: usertesting\n"
    yield "    description: Tables that tap-usertesting fills.\n"
    yield "    database: \"{{ var('usertesting_database') or target.database }}\"\n"
    yield "    schema: \"{{ var('usertesting_schema') }}\"\n"
    yield "    tables:\n"
    for stream in STREAMS:
        schema = schema_of(stream.name)
        enabled = "not var('usertesting_use_seeds')"
        if stream.name in OPTIONAL:
            enabled += f" and var('usertesting_has_{stream.name}')"
        yield f"      - name: {stream.name}\n"
        yield f"        description: {json.dumps(schema['description'], ensure_ascii=False)}\n"
        yield "        config:\n"
        yield f'          enabled: "{{{{ {enabled} }}}}"\n'
        yield "        columns:\n"
        for name, node in schema["properties"].items():
            yield f"          - name: {name}\n"
            yield f"            description: {json.dumps(node['description'], ensure_ascii=False)}\n"
