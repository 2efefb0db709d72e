"""The house keeps its order: imports go down along the drawing in docs/contributing.md, and in no circle."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tap_usertesting"
FILES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
PURE = {"ledger", "values"}
IMPURE = {"io", "logging", "os", "pathlib", "random", "requests", "socket", "subprocess", "sys", "threading", "time"}
KNOWS_SINGER = {"tap", "streams", "singer", "config.schema"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 60  # lines


class Import(NamedTuple):
    """One module that uses another, for types or for more."""

    file: str
    module: str

    def __str__(self) -> str:
        """Return it as a line that names the offender."""
        return f"{self.file} imports {self.module}"


def room_of(module: str) -> str:
    """Return the room of a module: a folder of the package, or a file beside these."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "version"


@cache
def imports(name: str) -> frozenset[str]:
    """Return what a module imports, types included; of a package's own modules their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: a relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one if one in FILES else node.module or "" for one in whole}
    return frozenset(found)


def arrows() -> dict[str, set[str]]:
    """Return the arrows of the drawing."""
    page = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
    drawing = page.partition("```mermaid\n")[2].partition("```")[0]
    found = {room: set[str]() for room in re.findall(r"^    (\w+)", drawing, flags=re.MULTILINE)}
    for room, below in re.findall(r"^    (\w+)(?:\[[^\]]*\])? --> (\w+)", drawing, flags=re.MULTILINE):
        found[room].add(below)
        found.setdefault(below, set())
    found["__main__"] = found.pop("main")
    return found


def below(room: str, drawn: dict[str, set[str]]) -> set[str]:
    """Return the rooms to which a way leads along the arrows."""
    seen: set[str] = set()
    todo = [room]
    while todo:
        new = drawn[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


def used() -> set[Import]:
    """Return each import from one room of another; the version is for all."""
    found = set()
    for name, path in FILES.items():
        for module in imports(name):
            if module.startswith("tap_usertesting.") and room_of(module) != room_of(name) != "version":
                found.add(Import(path.relative_to(ROOT).as_posix(), module))
    return found


def offenders(drawn: dict[str, set[str]]) -> list[str]:
    """Return the imports for which the drawing has no way."""
    lines = []
    for one in sorted(used()):
        parts = one.file.removesuffix(".py").split("/")
        if room_of(one.module) not in below(parts[1], drawn):
            lines.append(str(one))
    return lines


def test_each_room_is_drawn() -> None:
    """No room is missing in the drawing, and none is in it that is not there."""
    rooms = {room_of(name) for name in FILES} - {"version"}
    assert set(arrows()) == rooms


def test_imports_go_down() -> None:
    """No room uses one to which no arrow leads from it."""
    assert offenders(arrows()) == []


def test_the_drawing_has_no_circle() -> None:
    """No way leads back."""
    drawn = arrows()
    assert [room for room in drawn if room in below(room, drawn)] == []


def test_each_arrow_is_used() -> None:
    """An arrow that no import needs would allow what nobody meant to allow."""
    pairs = {(one.file.removesuffix(".py").split("/")[1], room_of(one.module)) for one in used()}
    assert {(room, to) for room, many in arrows().items() for to in many} <= pairs


@pytest.mark.parametrize(
    ("room", "to"), [("ledger", "values"), ("changes", "ledger"), ("sync", "report"), ("tap", "streams")]
)
def test_a_missing_arrow_names_the_import(room: str, to: str) -> None:
    """Without it, each import along it is named: file and module."""
    drawn = arrows()
    drawn[room].discard(to)
    assert any(
        f"tap_usertesting/{room}" in line and f"imports tap_usertesting.{to}" in line for line in offenders(drawn)
    )


def test_no_module_is_in_a_circle() -> None:
    """Not within a room either, types included."""

    def reached(name: str) -> set[str]:
        seen: set[str] = set()
        todo = [name]
        while todo:
            new = {one for one in imports(todo.pop()) if one in FILES} - seen
            seen |= new
            todo += new
        return seen

    ways = {name: reached(name) for name in FILES}
    circles = {
        frozenset({name} | {one for one in ways[name] if name in ways[one]}) for name in FILES if name in ways[name]
    }
    assert [sorted(circle) for circle in circles] == []


def test_pure_rooms_are_pure() -> None:
    """What they compute depends on nothing but what they are given."""
    impure = [
        f"{name} imports {module}"
        for name in FILES
        if room_of(name) in PURE
        for module in imports(name)
        if module.partition(".")[0] in IMPURE
    ]
    assert impure == []


def test_only_singers_rooms_name_the_sdk() -> None:
    """A new version of the SDK is felt in few places."""
    knowing = {name for name in FILES if any(module.startswith("singer_sdk") for module in imports(name))}
    assert {name for name in knowing if not {room_of(name), name.partition(".")[2]} & KNOWS_SINGER} == set()


def test_files_and_functions_are_short() -> None:
    """A newcomer reads a file in one go."""
    long = []
    for name, path in FILES.items():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST_FILE:
            long.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                long += [f"{name}: {node.name} has {lines} lines"] if lines > LONGEST_FUNCTION else []
    assert long == []


def test_each_file_that_the_page_names_is_there() -> None:
    """A newcomer who follows a session from file to file finds each."""
    page = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:\w+/)+\w+\.py)`", page))
    assert len(named) > 20
    assert {name for name in named if not (PACKAGE / name).is_file() and not (ROOT / name).is_file()} == set()


def test_a_stream_is_a_declaration() -> None:
    """A class in `streams/`, be it a stream or what it is made from, is short; those of the sessions shorter still."""
    long = []
    for path in (PACKAGE / "streams").glob("*.py"):
        most = 40 if path.stem == "sessions" else 60
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if isinstance(node, ast.ClassDef) and lines >= most:
                long.append(f"{path.name}: {node.name} has {lines} lines")
    assert long == []
