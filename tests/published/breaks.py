"""What a later version breaks of a released form, and whether the changelog says so. Pure.

A form is what docs/contract/<version>.json holds. Flat, it is one dict: what users rely on, by the words with which the
changelog has to name it, with the facts about it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Facts: TypeAlias = "dict[str, Any]"
Flat: TypeAlias = "dict[str, Facts]"
# Whether a fact that has changed breaks what relies on the old one; an absent fact is None.
Rule: TypeAlias = "Callable[[Any, Any], bool]"

UNRELEASED = "Unreleased"
WORDS = {"exit code": "exit_codes", "state key": "state"}  # which go before the name


class Break(NamedTuple):
    """One thing that a user may rely on and that is not as it was."""

    mention: str  # how the changelog has to name it
    what: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.mention}: {self.what}"


class Section(NamedTuple):
    """A version in the changelog, with what stands under *Breaking*."""

    version: str
    breaking: tuple[str, ...]


# Forms


def flatten(form: Mapping[str, Any]) -> Flat:
    """Return a form as one dict."""
    flat: Flat = {}
    for name, facts in form.get("settings", {}).items():
        flat[f"`{name}`"] = {"kind": "setting", **facts}
    for name, facts in form.get("options", {}).items():
        flat[f"`{name}`"] = {"kind": "option", **facts}
    for stream, facts in form.get("streams", {}).items():
        flat[f"`{stream}`"] = {"kind": "stream", **{name: fact for name, fact in facts.items() if name != "columns"}}
        for path, column in facts["columns"].items():
            flat[f"`{stream}.{path}`"] = {"kind": "column", **column}
    for word, section in WORDS.items():
        for name, facts in form.get(section, {}).items():
            flat[f"{word} `{name}`"] = {"kind": word, **facts}
    return flat | {f"capability `{name}`": {"kind": "capability"} for name in form.get("capabilities", ())}


def _accepts_less(old: list[str] | None, new: list[str] | None) -> bool:
    """None: anything is accepted. What is accepted as a number is an integer, too."""
    if new is None:
        return False
    accepted = {*new, "integer"} if "number" in new else {*new}
    return old is None or not set(old) <= accepted


def _differs(old: object, new: object) -> bool:
    return old != new


def _emits_other(old: list[str], new: list[str]) -> bool:
    """A column that has a value in each row may follow one that had not; any other type is another in a warehouse."""
    return set(old) - {"null"} != set(new) - {"null"} or ("null" in new and "null" not in old)


RULES: dict[str, dict[str, Rule]] = {
    # What goes in: whatever was accepted still is, and what was left unset still means the same.
    "setting": {
        "types": _accepts_less,
        "items": _accepts_less,
        "allowed": _accepts_less,
        "format": lambda old, new: new not in {None, old},
        "minimum": lambda old, new: new is not None and (old is None or new > old),
        "maximum": lambda old, new: new is not None and (old is None or new < old),
        "required": lambda old, new: bool(new and not old),
        "secret": lambda old, new: bool(old and not new),
        "default": _differs,
    },
    "option": {
        "allowed": _accepts_less,
        "takes": lambda old, new: old != new and (old, new) != ("a value", "a value or none"),
        "alone": lambda old, new: old is not None and old != new,
        "repeats": lambda old, new: bool(old and not new),
    },
    # What comes out: a table that was made for it still holds it, under the same names.
    "stream": dict.fromkeys(
        ("key", "replication_method", "replication_key", "selected_by_default", "only_with"), _differs
    ),
    "column": {"types": _emits_other, "format": _differs, "personal": _differs},
    "state key": {"types": _differs},
    "exit code": {"means": _differs},
    "capability": {},
}


def compare(old: Mapping[str, Facts | None], new: Mapping[str, Facts]) -> list[Break]:
    """Return what breaks for whoever relies on `old`; None in it stands for what was not there."""
    return [*_gone_or_changed(old, new), *_newly_required(old, new)]


def _gone_or_changed(old: Mapping[str, Facts | None], new: Mapping[str, Facts]) -> Iterator[Break]:
    for mention, facts in old.items():
        if facts is None:
            continue
        now = new.get(mention)
        if now is None:
            if not any(old.get(above) and above not in new for above in _above(mention)):
                yield Break(mention, f"the {facts['kind']} is gone")
            continue
        if now["kind"] != facts["kind"]:
            yield Break(mention, f"the {facts['kind']} is a {now['kind']}")
            continue
        for fact, breaks in RULES[facts["kind"]].items():
            if breaks(facts.get(fact), now.get(fact)):
                yield Break(mention, f"{fact} was {_shown(facts.get(fact))} and is {_shown(now.get(fact))}")


def _newly_required(old: Mapping[str, Facts | None], new: Mapping[str, Facts]) -> Iterator[Break]:
    for mention, facts in new.items():
        if facts["kind"] == "setting" and facts.get("required") and old.get(mention) is None:
            yield Break(mention, "the setting is new, and required")


def _above(mention: str) -> list[str]:
    """Return the mentions of what a column or a state key is part of."""
    head, _, rest = mention.partition("`")
    name = rest.rstrip("`")
    return [f"{head}`{name[: found.start()]}`" for found in re.finditer(r"\.|\[\]", name)]


def _shown(fact: object) -> str:
    if fact is None:
        return "nothing"
    return " or ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


# The changelog


def sections(changelog: str) -> list[Section]:
    """Return the versions of a changelog, the newest first."""
    found = []
    for part in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        breaking = re.search(r"^### Breaking\s*?$(.*?)(?=^### |\Z)", body, re.MULTILINE | re.DOTALL)
        entries = re.split(r"^[-*] ", breaking[1] if breaking else "", flags=re.MULTILINE)[1:]
        version = re.match(r"\[?([\w.]+)", head)
        found.append(Section(version[1] if version else head, tuple(" ".join(one.split()) for one in entries)))
    return found


def ordered(version: str) -> tuple[float, ...]:
    """Return a version as something that sorts; what is not released comes last."""
    return (float("inf"),) if version == UNRELEASED else tuple(int(part) for part in version.split("."))


def is_named(one: Break, entries: tuple[str, ...]) -> bool:
    """Tell whether some entry names what is broken; a sentence may begin with `Exit code`."""
    return any(one.mention.lower() in entry.lower() for entry in entries)


class Verdict(NamedTuple):
    """What is to be done about a form: `problems`, one line each, and, if there are none, the form to write."""

    problems: list[str]
    form: dict[str, Any]


def judge(present: dict[str, Any], released: Mapping[str, dict[str, Any]], changelog: str) -> Verdict:
    """Compare what the code has now with each form in the folder, by version.

    The form of a version that is still to be released grows with the code. What it loses, it keeps under `was`, so that
    the changelog can be held against it; None stands there for what was not there.
    """
    version, flat, history = present["version"], flatten(present), sections(changelog)
    own = released.get(version, {})
    former: dict[str, Facts | None] = {**flatten(own), **own.get("was", {})}
    here = compare(former, flat) if own else []
    of_this = tuple(entry for one in history if one.version in {UNRELEASED, version} for entry in one.breaking)
    problems = [f"{one} (in {version})" for one in here if not is_named(one, of_this)]
    broken = [*here]
    for name in sorted(released.keys() - {version}, key=ordered):
        lost = compare(flatten(released[name]), flat)
        since = tuple(entry for one in history if ordered(one.version) > ordered(name) for entry in one.breaking)
        problems += [f"{one} (since {name})" for one in lost if not is_named(one, since)]
        if lost and ordered(name) < ordered(version) and not _may_break(name, version):
            problems.append(f"{version} breaks what {name} promised ({lost[0].mention}): it must be a greater step")
        broken += lost
    newest = history[0] if history else Section(UNRELEASED, ())
    problems += [
        f"CHANGELOG names under Breaking what is not broken: {entry}"
        for entry in newest.breaking
        if not any(is_named(one, (entry,)) for one in broken)
    ]
    was = {one.mention: former.get(one.mention) for one in here}
    was |= {name: facts for name, facts in former.items() if facts and name not in flat}
    form = {**present, **({"was": was} if was else {})}
    if own not in ({}, form) and any(one.version == version for one in history):
        problems.append(f"{version} is released, and its form stays as it is: raise `__version__`")
    return Verdict(problems, form)


def _may_break(old: str, new: str) -> bool:
    """By Semantic Versioning: the first number, or, while that is 0, the second."""
    before, after = ordered(old), ordered(new)
    return after[0] > before[0] or (after[0] == before[0] == 0 and after[1] > before[1])
