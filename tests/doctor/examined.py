"""Runs `--doctor` in this process, in simulated time, and holds what it printed."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_usertesting.sandbox import World
from tap_usertesting.sandbox.set_up import set_up
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import catalog
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tap_usertesting.sandbox import Sandbox
    from tap_usertesting.sandbox.variant import Variant


@dataclass
class Examined:
    """What one run of the doctor left behind."""

    exit: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The report."""
        return dict(json.loads(self.stdout))

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict over each assumption."""
        return {name: entry["verdict"] for name, entry in self.report["assumptions"].items()}

    def named(self, verdict: str) -> set[str]:
        """Return the assumptions with a verdict."""
        return {name for name, found in self.verdicts.items() if found == verdict}


def examine(box: Sandbox, *, select: Sequence[str] | None = None, **settings: object) -> Examined:
    """Run the doctor on a sandbox that is served. `select`: the streams that the catalog selects."""
    chosen = None if select is None else catalog(select)
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            TapUserTesting(config=box.config(**settings), catalog=chosen).diagnose()
        except SystemExit as end:
            code = int(end.code or 0)
    return Examined(code, out.getvalue(), err.getvalue())


def examine_variant(variant: Variant, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Examined:  # noqa: ANN401 - passed on
    """Run the doctor on the small world as a variant, with the quota of the variant, in simulated time."""
    time = SimulatedTime().install(monkeypatch)
    with time.serve(set_up(World.seeded(), variant), variant.quota) as box:
        if variant.feed == "unset":
            settings["feed_url"] = None
        examined = examine(box, **settings)
        made = [call for call in box.calls if call.kind not in {"token", "v1", "feed"}]
        assert len(made) <= 15
        return examined
