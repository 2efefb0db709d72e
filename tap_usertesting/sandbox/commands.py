"""The commands to paste, made from the dataclasses that the back door reads: a new field or value is in the list.

A field of true or false, or of a few words, gives a command for each; others name values to try (``fields.examples``).
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import Field, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from tap_usertesting.sandbox.answer_options import AnswerOptions
from tap_usertesting.sandbox.change_by_kind import EventOrder
from tap_usertesting.sandbox.faults import Fault
from tap_usertesting.sandbox.feed_options import FeedOptions, Refusal
from tap_usertesting.sandbox.fields import Sample, default, explained, hints, required
from tap_usertesting.sandbox.quota import QuotaRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox.requests_and_replies import Json

# What each path of the back door takes.
BODIES: dict[str, type] = {
    "events": EventOrder,
    "faults": Fault,
    "feed": FeedOptions,
    "answers": AnswerOptions,
    "quota": QuotaRule,
}


@dataclass(frozen=True)
class Command:
    """A request to the back door that shows a field, the last one of its body.

    says: what the value of the field does, or, if nothing is said of it, the field.
    """

    path: str
    field: str
    says: str
    body: Json

    def curl(self, url: str) -> str:
        """Return the command for a shell."""
        return f"curl -sS -X POST {url}/_sandbox/{self.path} -d {shlex.quote(json.dumps(self.body))}"


def commands(path: str, samples: dict[Sample, str]) -> list[Command]:
    """Return the commands for a path of the back door, but for those that need a sample which the world lacks."""
    made = list(_of_fields(path, BODIES[path]))
    if path == "feed":
        made += [
            Command(path, f"refusals: {one.field}", one.says, {"refusals": [one.body]})
            for one in _of_fields(path, Refusal)
            if one.field != "message"
        ]
    return [replace(one, body=body) for one in made if (body := _filled(one.body, samples)) is not None]


def _filled(body: Json, samples: dict[Sample, str]) -> Json | None:
    """Return a body with samples in their places, None if one is lacking."""

    def fill(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, dict):
            return {name: fill(one) for name, one in value.items()}
        if isinstance(value, list):
            return [fill(one) for one in value]
        return samples[value] if isinstance(value, Sample) else value

    try:
        return {name: fill(value) for name, value in body.items()}
    except KeyError:
        return None


def _of_fields(path: str, cls: Any) -> Iterator[Command]:  # noqa: ANN401 - a dataclass
    """Return a command for each example of each field of a dataclass."""
    says = explained(cls)
    tried = {field.name: _examples(field, hints(cls)[field.name]) for field in fields(cls)}
    always = {field.name: tried[field.name][0] for field in fields(cls) if required(field)}
    for field in fields(cls):
        for value in tried[field.name]:
            told = says.get(str(value)) if not field.metadata.get("examples") else None
            # What is said of a value names the other fields that matter to it.
            named = re.findall(r"``(\w+)``", told or "")
            body = always | field.metadata.get("together", {}) | {name: tried[name][0] for name in named}
            body.pop(field.name, None)
            yield Command(path, field.name, told or says[field.name], body | {field.name: value})


def _examples(field: Field[Any], hint: Any) -> list[Any]:  # noqa: ANN401 - a type
    """Return values of a field to try: those it names, else all but the default."""
    given = field.metadata.get("examples")
    if given:
        return list(given)
    return [value for value in _values(hint) if required(field) or value != default(field)]


def _values(hint: Any) -> list[Any]:  # noqa: ANN401 - a type
    """Return all values of a type that has only a few."""
    if hint is bool:
        return [True, False]
    if hint is type(None):
        return [None]
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for part in get_args(hint) for value in _values(part)]
