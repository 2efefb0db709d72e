"""What the tap overrides or uses of the SDK: the list says all of it, and the SDK has not changed it.

Where a new version of the SDK fails here, read what it changed beside the reason in `tap_usertesting/singer/sdk.py`,
mend the override where it has to be, and accept the change: `python -m tests.architecture.test_sdk`.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream, Tap

from tap_usertesting.singer.sdk import BENT, HOOKS, RELIED_ON, USED
from tap_usertesting.singer.state_writing import LedgerStateManager
from tap_usertesting.singer.writer import WholeLineWriter
from tap_usertesting.streams.catalog import STREAMS
from tap_usertesting.tap import TapUserTesting

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "tap_usertesting"
KNOWN = Path(__file__).with_name("sdk.json")
OURS = (TapUserTesting, *STREAMS, LedgerStateManager, WholeLineWriter)


def overridden() -> set[str]:
    """Return each member of a class of the SDK that a class of the tap overrides, as `Class.member`."""
    found = set()
    for ours in OURS:
        theirs = [one for one in ours.__mro__ if one.__module__.startswith("singer_sdk")]
        for one in ours.__mro__:
            names = vars(one).keys() if one.__module__.startswith("tap_usertesting") else ()
            for name in (name for name in names if not name.startswith("__") or name == "__init__"):
                base = next((base for base in theirs if name in vars(base)), None)
                found |= {f"{base.__name__}.{name}"} if base is not None and name != "_abc_impl" else set()
    return found


def privates_used() -> set[str]:
    """Return the private names of the SDK that classes of the tap use and do not define, private modules included."""
    used, defined, imported = set[str](), set[str](), set[str]()
    for path in (path for path in PACKAGE.rglob("*.py") if path.parent.name in {"singer", "streams", PACKAGE.name}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and path.name not in {"state_writing.py", "input_files.py"}:
                used.add(node.attr)
            elif isinstance(node, ast.FunctionDef):
                defined.add(node.name)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("singer_sdk"):
                imported |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    of_sdk = {name for base in Stream.__mro__ + Tap.__mro__ if base is not object for name in _members(base)}
    return {name for name in imported | (used & of_sdk - defined) if name.startswith("_") and not name.startswith("__")}


def _members(of: type) -> Iterator[str]:
    """Yield the members of a class, those set in its methods included."""
    yield from vars(of)
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(of)))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def digests() -> dict[str, str]:
    """Return a digest of signature and body of each function of the SDK that the list names, by its name."""
    classes = {one.__name__: one for ours in OURS for one in ours.__mro__ if one.__module__.startswith("singer_sdk")}
    found = {}
    for name in sorted({*HOOKS, *BENT, *RELIED_ON}):
        of, _, member = name.rpartition(".")
        value = vars(classes[of])[member]
        function: Any = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        if inspect.isfunction(function):
            found[name] = hashlib.sha256(_code(inspect.getsource(function)).encode()).hexdigest()[:16]
    return found


def _code(source: str) -> str:
    """Return a function's code without its docstring, comments and indentation."""
    [function] = ast.parse(textwrap.dedent(source)).body
    assert isinstance(function, ast.FunctionDef)
    lines = textwrap.dedent(source).splitlines()
    if ast.get_docstring(function) is not None:
        first = function.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


def test_the_list_names_each_override() -> None:
    """No override without a reason, and no reason without an override."""
    assert overridden() == {*HOOKS, *BENT}


def test_the_list_names_each_private_that_is_used() -> None:
    """Neither more nor less."""
    assert privates_used() == set(USED)


def test_hooks_are_public() -> None:
    """What is private counts as bent."""
    assert [name for name in HOOKS if name.rpartition(".")[2].startswith("_") and "__init__" not in name] == []


def test_the_sdk_has_not_changed_what_is_overridden() -> None:
    """Signature and body of each function are as they were when the override was written."""
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    changed = {name for name, digest in digests().items() if known.get(name) != digest}
    assert not changed, f"the SDK has changed {', '.join(sorted(changed))}: see how, then accept it as this file says"
    assert known.keys() == digests().keys()


if __name__ == "__main__":
    KNOWN.write_text(json.dumps(digests(), indent=1) + "\n", encoding="utf-8")
