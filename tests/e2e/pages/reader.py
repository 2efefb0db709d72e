"""A reader of README and docs/, who pastes what the pages say into terminals in one clone, page after page."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tap_usertesting.sandbox import Sandbox, World
from tests.e2e.pages import clone
from tests.e2e.pages.blocks import Block, Page, difference, page_of
from tests.e2e.pages.starts import ELSEWHERE, STARTS, Start
from tests.e2e.pages.terminals import Background, PasteError, Terminal
from tests.support import environments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.database import Server

TEMPLATE = "cp .env.example .env"
LAUNCHERS = environments.ROOT / "tests/e2e/requirements/launchers.txt"


@dataclass(frozen=True)
class Pasted:
    """What became of a block: skipped, or what it printed and how long it took."""

    block: Block
    skipped: str | None
    printed: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        """One line of the list of blocks."""
        became = f"skipped: {self.skipped}" if self.skipped else f"run, {self.seconds:.0f} s"
        where = " (second terminal)" if self.block.second_terminal else ""
        return f"{self.block.page} {self.block.number}: {self.block.first_line}{where}: {became}"

    @property
    def difference(self) -> str:
        """What the page shows otherwise than it was printed; empty if nothing."""
        if self.skipped or self.block.shown is None:
            return ""
        found = difference(self.block.shown, self.printed)
        return f"{self.block}\n{found}" if found else ""


@dataclass
class Reader:
    """One person with a clone, an empty HOME, an account (the sandbox) and a database."""

    folder: Path
    account: Mapping[str, str]
    port: int
    _followed: dict[str, list[Pasted]] = field(default_factory=dict)
    _failed: dict[str, PasteError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        self.clone = clone.cloned(self.folder / "tap-usertesting", self.port)
        # A server of root, as `make demo` starts one, runs as nobody, who has to get through to its files.
        self.folder.chmod(0o711)
        (self.folder / "tmp").mkdir()
        self.env = clone.environment(self.home) | {"TMPDIR": str(self.folder / "tmp")}

    @property
    def pasted(self) -> list[Pasted]:
        """Every block of the pages that were followed."""
        return [one for page in self._followed.values() for one in page]

    def follow(self, name: str) -> list[Pasted]:
        """Follow a page, after those that it builds on, unless that was done. Raises PasteError, each time."""
        if name in self._failed:
            raise self._failed[name]
        if name not in self._followed:
            start = STARTS.get(name, Start())
            try:
                for before in start.after:
                    self.follow(before)
                self._followed[name] = self._follow(page_of(name), start)
            except PasteError as error:
                self._failed[name] = error
                raise
        return self._followed[name]

    def _follow(self, page: Page, start: Start) -> list[Pasted]:
        if page.name in ELSEWHERE:
            return [Pasted(block, f"run by {ELSEWHERE[page.name]}") for block in page.blocks]
        pasted: list[Pasted] = []
        scratch = self.folder / "scratch" / page.name
        with contextlib.ExitStack() as running:
            terminal = running.enter_context(Terminal(self.clone, self.env, scratch / "first"))
            terminal.paste(self._start(start))
            for block in page.blocks:
                if block.reason:
                    pasted.append(Pasted(block, block.reason))
                    continue
                try:
                    if block.second_terminal:
                        commands = self._here(block.commands)
                        second = Background(commands, self.clone, self.env, scratch / str(block.number))
                        running.enter_context(second)
                        terminal.paste(second.exports)
                        pasted.append(Pasted(block, None, seconds=second.seconds))
                    else:
                        pasted.append(self._paste(block, terminal))
                except PasteError as error:
                    raise PasteError(f"{block}\n{error}") from None
        if left := clone.left_in(self.clone):
            raise PasteError(f"{page.name} leaves in the clone what git sees:\n{left}")
        return pasted

    def _paste(self, block: Block, terminal: Terminal) -> Pasted:
        """Paste a block; where it copies the template of `.env`, fill that in before going on."""
        output, seconds = "", 0.0
        for part in parts(self._here(block.commands)):
            printed = terminal.paste(part)
            output += printed.output
            seconds += printed.seconds
            if copies_template(part):
                path = self.clone / ".env"
                path.write_text(filled_in(path.read_text(encoding="utf-8"), self.account), encoding="utf-8")
        return Pasted(block, None, self._as_on_the_page(output), seconds)

    def _start(self, start: Start) -> str:
        if not start.programs:
            return start.commands
        installed = environments.install("launchers", environments.requirements_in(LAUNCHERS))
        folder = self.folder / "programs"
        folder.mkdir(exist_ok=True)
        for name in start.programs:
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(installed / name)
        return f"export PATH={shlex.quote(str(folder))}:$PATH\n{start.commands}"

    def _here(self, commands: str) -> str:
        return commands.replace(str(clone.PORT), str(self.port))

    def _as_on_the_page(self, output: str) -> str:
        return output if self.port == clone.PORT else output.replace(str(self.port), str(clone.PORT))


def copies_template(line: str) -> bool:
    """Whether a line makes `.env` of its template, which its reader then fills in."""
    return line.partition("#")[0].strip() == TEMPLATE


def parts(commands: str) -> list[str]:
    """Split a block around each line that makes `.env`."""
    found = [""]
    for line in commands.splitlines(keepends=True):
        if copies_template(line):
            found += [line, ""]
        else:
            found[-1] += line
    return [part for part in found if part]


def filled_in(template: str, values: Mapping[str, str]) -> str:
    """Fill in lines of `.env`, also those that are commented out. Raises PasteError where it has no such line."""
    lines = template.splitlines()
    for name, value in values.items():
        places = [place for place, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{name}=")]
        if not places:
            raise PasteError(f".env.example has no line for {name}")
        lines[places[0]] = f"{name}={shlex.quote(value)}"
    return "\n".join([*lines, ""])


@contextlib.contextmanager
def reader(server: Server) -> Iterator[Reader]:
    """Yield a reader whose account is a sandbox without a quota, and whose database is empty."""
    database = server.database()
    with tempfile.TemporaryDirectory(prefix="reader-") as folder, Sandbox(World.seeded(), quota=None) as box:
        account = {
            f"TAP_USERTESTING_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in box.config().items()
        }
        account["TARGET_POSTGRES_SQLALCHEMY_URL"] = database.url
        try:
            yield Reader(Path(folder), account, clone.free_port())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
