"""What a test of the sandbox is about: its prompts, what participants answer, and what they say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prompt:
    """One prompt of a test, with what fits as its answer.

    options: for MULTIPLE_CHOICE the options, the most popular first; for RANK_ORDER what is ranked; for MATRIX the
        statements; for WRITTEN the texts that participants write; for RATING_SCALE the names of its two ends; for URL
        the pages that are visited; for FIGMA the title of the prototype.
    several: whether more than one option may be chosen.
    typical: the number given most often on a RATING_SCALE (1 to 5) or for NPS (0 to 10).
    """

    type: str
    text: str
    options: tuple[str, ...] = ()
    several: bool = False
    typical: int = 4


@dataclass(frozen=True)
class Study:
    """A test and all that is said in it.

    labels: what the QX groups of an interaction test measure.
    spoken: what a participant who thinks out loud says, in this order.
    talk: the questions of a moderator, in this order, each before what participants answer.
    remarks: what researchers write about clips.
    """

    title: str
    prompts: tuple[Prompt, ...] = ()
    labels: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    talk: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()


DIFFICULT_TO_EASY = ("Very difficult", "Very easy")
