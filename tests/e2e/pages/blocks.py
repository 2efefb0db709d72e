"""The shell blocks of a page, what the page says about them, and what it shows that they print. Pure.

A block is pasted into the reader's terminal unless a comment directly above it says otherwise:

    <!-- not pasted: REASON -->    it is skipped
    <!-- in a second terminal -->  it runs in a shell of its own, to the end of the page; the `export` lines that it
                                   prints are what the reader pastes into the first terminal

A block of text or JSON directly below is what it prints, whole. One further below, under the comment
`<!-- printed in part -->`, stands somewhere in what it prints.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from tests.published.llms import sections
from tests.published.pages import ROOT, without_code

SHELL = frozenset({"sh", "shell", "bash"})
OUTPUT = frozenset({"text", "json"})
FENCE = re.compile(r"^```(?P<kind>.*)\n(?P<body>(?:.*\n)*?)```$", flags=re.MULTILINE)
COMMENT = re.compile(r"<!-- (?P<says>.*) -->")
GENERATED = re.compile(r"(begin|end) ")
NOT_PASTED = re.compile(r"not pasted: (?P<reason>\S.*)")
SECOND_TERMINAL = "in a second terminal"
IN_PART = "printed in part"


class MarkError(ValueError):
    """Raised for a comment above a block that says nothing a reader of blocks understands."""


@dataclass(frozen=True)
class Shown:
    """What a page shows that a block prints; `span` is its place in the page."""

    text: str
    in_part: bool
    span: tuple[int, int]


@dataclass(frozen=True)
class Block:
    """One block of commands. `reason` says why it is not pasted."""

    page: str
    number: int
    line: int
    heading: str
    commands: str
    reason: str | None = None
    second_terminal: bool = False
    shown: Shown | None = None

    def __str__(self) -> str:
        """Where it stands and how it begins."""
        return f"{self.page}:{self.line}, block {self.number}: {self.first_line}"

    @property
    def first_line(self) -> str:
        """What a list shows of it."""
        return self.commands.split("\n", maxsplit=1)[0]


@dataclass(frozen=True)
class Page:
    """The blocks of a page in their order, and the outputs on it that no block prints."""

    name: str
    text: str
    blocks: list[Block]
    other_outputs: list[str]


def order() -> list[str]:
    """Every page in the order in which a reader comes upon it: README, then the site's navigation."""
    return ["README.md", "docs/README.md", *(f"docs/{page}" for _, pages in sections() for page in pages)]


def page_of(name: str) -> Page:
    """Read a page of the repository. Raises MarkError."""
    return parsed(name, (ROOT / name).read_text(encoding="utf-8"))


def parsed(name: str, text: str) -> Page:
    """Take a page apart. Raises MarkError."""
    page = Page(name, text, [], [])
    end, after_block = 0, False
    for fence in FENCE.finditer(text):
        between = text[end : fence.start()].strip()
        comment = COMMENT.fullmatch(between.rpartition("\n")[2])
        mark = comment["says"] if comment and not GENERATED.match(comment["says"]) else ""
        end, was_after_block, after_block = fence.end(), after_block, fence["kind"] in SHELL
        if after_block:
            before = text[: fence.start()]
            headings = re.findall(r"^#+ (.*)$", without_code(before), flags=re.MULTILINE)
            number, line = len(page.blocks) + 1, before.count("\n") + 1
            page.blocks.append(_marked(Block(name, number, line, headings[-1], fence["body"]), mark))
        elif fence["kind"] in OUTPUT:
            in_part = mark == IN_PART
            if page.blocks and (in_part or (was_after_block and not between)):
                shown = Shown(fence["body"], in_part, fence.span("body"))
                page.blocks[-1] = replace(page.blocks[-1], shown=shown)
            else:
                page.other_outputs.append(fence["body"])
    return page


def _marked(block: Block, mark: str) -> Block:
    if not mark:
        return block
    if mark == SECOND_TERMINAL:
        return replace(block, second_terminal=True)
    if skipped := NOT_PASTED.fullmatch(mark):
        return replace(block, reason=skipped["reason"])
    raise MarkError(f"{block}: the comment above says {mark!r}, which is no mark")


def difference(shown: Shown, printed: str) -> str:
    """What differs between what a page shows and what was printed; empty if nothing does."""
    said, found = shown.text.strip("\n").splitlines(), printed.strip("\n").splitlines()
    if shown.in_part:
        windows = [found[start : start + len(said)] for start in range(len(found))]
        found = max(windows, key=lambda lines: sum(map(str.__eq__, lines, said)), default=[])  # what is most like it
    return "\n".join(difflib.unified_diff(said, found, "the page shows", "it printed", lineterm=""))


def rewritten(text: str, printed: list[tuple[Block, str]]) -> str:
    """Return the page with what its blocks printed; what is shown in part stays."""
    for block, output in reversed(printed):
        if block.shown is not None and not block.shown.in_part:
            start, end = block.shown.span
            text = f"{text[:start]}{output.strip(chr(10))}\n{text[end:]}"
    return text
