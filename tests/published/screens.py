"""What a terminal shows of a sync of the sandbox: the plan before it and the summary after it."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import pytest

from tap_usertesting.report.progress import Lines
from tap_usertesting.sandbox import QuotaRule, World
from tap_usertesting.tap import TapUserTesting
from tests.support.harness import sync_here
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    from tap_usertesting.report.summary import Summary


def plan() -> str:
    """What `--plan` says of a first sync of the sandbox, under its quota."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as out,
        SimulatedTime().install(patch).serve(World.seeded(7, "small"), QuotaRule()) as box,
    ):
        TapUserTesting(config=box.config()).plan("short")
    return f"```text\n{out.getvalue()}```"


def summary() -> str:
    """What a terminal shows at the end of a sync of the sandbox that a budget ends early."""
    sums: list[Summary] = []

    class Kept(Lines):
        def sum_up(self, summary: Summary) -> None:
            sums.append(summary)

    with (
        pytest.MonkeyPatch.context() as patch,
        SimulatedTime().install(patch).serve(World.seeded(7, "small"), QuotaRule()) as box,
    ):
        patch.setattr(TapUserTesting, "make_view", Kept)
        sync_here(box.config(max_calls=40), state_every=1.0)
    return f"```text\n{sums[0].table()}\n```"
