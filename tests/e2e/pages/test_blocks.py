"""What decides which blocks are pasted: the marks, the list of pages, and the places that show what is printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.e2e.pages import clone
from tests.e2e.pages.blocks import OUTPUT, SHELL, MarkError, Shown, difference, order, page_of, parsed, rewritten
from tests.e2e.pages.reader import Pasted, filled_in, parts
from tests.e2e.pages.starts import ELSEWHERE, STARTS
from tests.e2e.pages.terminals import Background, PasteError, Terminal
from tests.published.pages import PAGES, ROOT, links

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How many blocks of a page nobody pastes. Each has a reason on its page: an account, a daemon, or this test itself.
NOT_PASTED = {"README.md": 2, "docs/container.md": 3, "docs/contract/README.md": 1}
# Blocks of text and JSON that no command above them prints; other tests hold most of them against the code.
NOT_PRINTED = {"docs/quota.md": 5, "docs/files.md": 1, "docs/state.md": 1}
OTHER_LANGUAGES = {"yaml", "sql", "mermaid", "markdown"}
# What runs until it is stopped.
ENDLESS = re.compile(r"tap-usertesting-sandbox |tap-usertesting:sandbox|tests\.e2e\.dbt\b")

PAGE = """# Title

Some words.

```sh
echo one
```

```text
one
```

<!-- in a second terminal -->

```sh
serve
```

## Part

```sh
# a comment, no heading
make all
```

It says more than that:

<!-- printed in part -->

```text
two
three
```

<!-- not pasted: needs a daemon -->

```bash
docker run
```

<!-- begin plan -->

```text
of no block
```
"""


def test_every_page_is_followed() -> None:
    """README, and all there is under docs/."""
    assert sorted(order()) == sorted(["README.md", *(page.relative_to(ROOT).as_posix() for page in PAGES)])


def test_every_block_is_pasted_or_marked() -> None:
    """All blocks of commands are found, and few are left out."""
    pages = [page_of(name) for name in order()]
    for page in pages:
        kinds = re.findall(r"^\s*(?:```|~~~)(\S+)", page.text, flags=re.MULTILINE)
        assert set(kinds) <= SHELL | OUTPUT | OTHER_LANGUAGES, page.name
        assert sum(kind in SHELL for kind in kinds) == len(page.blocks), page.name
    skipped = Counter(block.page for page in pages for block in page.blocks if block.reason)
    assert skipped == NOT_PASTED
    assert sum(len(page.blocks) for page in pages) > 60


def test_every_mark_belongs_to_a_block() -> None:
    """A mark that stands elsewhere, or has a letter wrong, would do nothing."""
    for page in map(page_of, order()):
        comments = re.findall(r"^<!-- (?!begin |end )(.*) -->$", page.text, flags=re.MULTILINE)
        marked = [block for block in page.blocks if block.reason or block.second_terminal]
        in_part = [block for block in page.blocks if block.shown is not None and block.shown.in_part]
        assert len(comments) == len(marked) + len(in_part), page.name


def test_what_is_shown_is_compared() -> None:
    """Text and JSON under a block is what it prints; of what is not, the number is known."""
    found = {page.name: len(page.other_outputs) for page in map(page_of, order()) if page.other_outputs}
    assert found == NOT_PRINTED


def test_what_never_ends_has_a_terminal_of_its_own() -> None:
    """Pasted into the first one, it would keep the rest of the page waiting."""
    blocks = [block for name in order() for block in page_of(name).blocks]
    assert [str(block) for block in blocks if ENDLESS.search(block.commands) and not block.second_terminal] == []
    assert sum(block.second_terminal for block in blocks) > 5


def test_a_page_says_what_it_builds_on() -> None:
    """Its reader may come from anywhere: it links to the pages that the test follows before."""
    for name, start in STARTS.items():
        page = ROOT / name
        linked = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        assert [before for before in start.after if (ROOT / before) not in linked] == [], name


def test_pages_not_followed_here_are_followed_elsewhere() -> None:
    """By a test that names them."""
    for name, test in ELSEWHERE.items():
        assert page_of(name).blocks
        assert f'"{name}"' in (ROOT / test).read_text(encoding="utf-8")


# The rules for blocks


def test_a_page_is_taken_apart() -> None:
    """Marks, numbers, headings, and what is shown whole, in part, or not at all."""
    page = parsed("page.md", PAGE)
    assert [(block.number, block.heading, block.first_line) for block in page.blocks] == [
        (1, "Title", "echo one"),
        (2, "Title", "serve"),
        (3, "Part", "# a comment, no heading"),
        (4, "Part", "docker run"),
    ]
    assert [block.second_terminal for block in page.blocks] == [False, True, False, False]
    assert [block.reason for block in page.blocks] == [None, None, None, "needs a daemon"]
    shown = [block.shown and (block.shown.text, block.shown.in_part) for block in page.blocks]
    assert shown == [("one\n", False), None, ("two\nthree\n", True), None]
    assert page.other_outputs == ["of no block\n"]
    assert str(page.blocks[2]) == "page.md:21, block 3: # a comment, no heading"
    assert str(Pasted(page.blocks[3], "needs a daemon")) == "page.md 4: docker run: skipped: needs a daemon"


@pytest.mark.parametrize("mark", ["not pasted", "not pasted: ", "in a second terminal, later", "printed in part"])
def test_a_mark_that_says_nothing_is_an_error(mark: str) -> None:
    """A block is not pasted for a reason, and a typing error is none."""
    with pytest.raises(MarkError, match=r"page.md:3, block 1: ls"):
        parsed("page.md", f"# Title\n<!-- {mark} -->\n```sh\nls\n```\n")


def test_what_differs_is_named() -> None:
    """Shown whole, all lines are the same; shown in part, they stand together in what was printed."""
    printed = "one\ntwo\nthree\n"
    assert difference(Shown("one\ntwo\nthree\n", in_part=False, span=(0, 0)), printed) == ""
    assert difference(Shown("two\nthree\n", in_part=True, span=(0, 0)), printed) == ""
    assert "-four" in difference(Shown("one\ntwo\nfour\n", in_part=False, span=(0, 0)), printed)
    assert "+one" in difference(Shown("two\nthree\n", in_part=False, span=(0, 0)), printed)
    assert "+two" in difference(Shown("one\nthree\n", in_part=True, span=(0, 0)), printed)
    assert difference(Shown("one\n", in_part=True, span=(0, 0)), "") != ""


def test_a_page_can_be_written_anew() -> None:
    """What is shown whole becomes what was printed, and nothing else changes."""
    blocks = parsed("page.md", PAGE).blocks
    assert rewritten(PAGE, [(blocks[0], "1\n\n"), (blocks[2], "other\n")]) == PAGE.replace(
        "one\n```\n\n<", "1\n```\n\n<"
    )


def test_the_template_of_env_is_filled_in_where_it_is_copied() -> None:
    """Between the line that copies it and the next one; also lines that are commented out."""
    commands = "cd x\ncp .env.example .env   # then fill in\ntap\n"
    assert parts(commands) == ["cd x\n", "cp .env.example .env   # then fill in\n", "tap\n"]
    assert filled_in("# words\nA=\n# B=1\nC=\n", {"A": "x y", "B": "2"}) == "# words\nA='x y'\nB=2\nC=\n"
    with pytest.raises(PasteError, match="no line for D"):
        filled_in("A=\n", {"D": "1"})


# The reader's terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in an empty folder."""
    (tmp_path / "here").mkdir()
    with Terminal(tmp_path / "here", dict(os.environ), tmp_path / "scratch") as one:
        yield one


def test_a_block_finds_what_the_former_one_left(terminal: Terminal) -> None:
    """Variables, functions and the folder stay; nothing waits for keys; output and log are told apart."""
    terminal.paste('NAME=me\nsay() { echo "$1"; }\nmkdir sub && cd sub\n')
    printed = terminal.paste('say "$NAME in $(basename "$PWD")"\necho log >&2\ncat\n')
    assert (printed.output, printed.log) == ("me in sub\n", "log\n")


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param("echo seen\nfalse\necho unseen\n", id="a command"),
        pytest.param("echo seen\necho ${UNSET_VARIABLE}\n", id="a variable that is not set"),
        pytest.param("echo seen\nfalse | cat\n", id="the first in a pipe"),
        pytest.param("echo seen; (\n", id="half a command"),
    ],
)
def test_a_block_that_fails_is_named_with_its_output(terminal: Terminal, commands: str) -> None:
    """As soon as one command of it does."""
    with pytest.raises(PasteError) as error:
        terminal.paste(commands)
    assert re.match(r"exit [1-9]", str(error.value))
    assert "\nseen\n" in str(error.value) or "syntax error" in str(error.value)
    assert "\nunseen\n" not in str(error.value).partition("--- output")[2]


def test_a_second_terminal_says_what_to_export(tmp_path: Path) -> None:
    """Once all of it is there; then it goes on until it is stopped."""
    held = tmp_path / "held"
    os.mkfifo(held)
    reading = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    commands = f"echo 'export A=1'; echo '  export B=\"2 3\"'; echo ready; sleep 600 > {held} & wait"
    with Background(commands, tmp_path, dict(os.environ), tmp_path / "scratch") as second:
        assert second.exports == 'export A=1\nexport B="2 3"'
    os.set_blocking(reading, True)
    assert os.read(reading, 1) == b""  # nobody is left who could write
    os.close(reading)


def test_a_second_terminal_that_ends_is_an_error(tmp_path: Path) -> None:
    """With what it said."""
    with pytest.raises(PasteError, match="no port is free"):
        Background("echo no port is free; exit 1", tmp_path, dict(os.environ), tmp_path / "scratch")


# The reader's clone


def test_an_environment_knows_nothing_of_this_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing activated or set, HOME empty; but a Python that is new enough, and what reaches the package index."""
    active = tmp_path / "active"
    (active / "bin").mkdir(parents=True)
    (active / "pyvenv.cfg").touch()
    (active / "bin" / "python3").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", f"{active / 'bin'}:{ROOT / '.venv/bin'}:{os.environ['PATH']}")
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "TAP_USERTESTING_API_URL", "TARGET", "MELTANO_ENVIRONMENT", "MAKEFLAGS"):
        monkeypatch.setenv(name, "x")
    for name in ("PIP_INDEX_URL", "SSL_CERT_FILE", "https_proxy"):
        monkeypatch.setenv(name, "kept")
    env = clone.environment(tmp_path / "home")
    assert env.keys().isdisjoint({"VIRTUAL_ENV", "PYTHONPATH", "TAP_USERTESTING_API_URL", "TARGET", "MAKEFLAGS"})
    assert "MELTANO_ENVIRONMENT" not in env
    assert [env[name] for name in ("PIP_INDEX_URL", "SSL_CERT_FILE", "https_proxy")] == ["kept"] * 3
    assert env["HOME"] == str(tmp_path / "home")
    assert str(active) not in env["PATH"]
    assert str(ROOT / ".venv") not in env["PATH"]
    program = shutil.which("python3", path=env["PATH"])
    assert program is not None
    code = "import sys; print(sys.prefix == sys.base_prefix and sys.version_info >= (3, 10))"
    shown = subprocess.run([program, "-c", code], env=env, check=True, capture_output=True, text=True).stdout
    assert shown == "True\n"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no clone can be made of what is no checkout")
def test_a_clone_is_of_what_is_here(tmp_path: Path) -> None:
    """Every file that git knows or would add, as it is now; another port where the usual one is taken."""
    folder = clone.cloned(tmp_path / "clone", clone.PORT + 1)
    assert clone.left_in(folder) == ""
    assert (folder / "README.md").read_bytes() == (ROOT / "README.md").read_bytes()
    assert os.access(folder / "docs/examples/singer/sync.sh", os.X_OK)
    assert str(clone.PORT) not in (folder / "meltano.yml").read_text(encoding="utf-8")
    assert str(clone.PORT + 1) in (folder / "meltano.yml").read_text(encoding="utf-8")
    (folder / "left.txt").touch()
    assert clone.left_in(folder) == "?? left.txt\n"
