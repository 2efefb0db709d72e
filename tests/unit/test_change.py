"""What a list of changes makes a stream do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_usertesting.changes.change import REMOVALS, Change, concerns_session, concerns_transcript, plan

if TYPE_CHECKING:
    from collections.abc import Callable

UPDATED, VIDEO, TRANSCRIBED, REJECTED, DELETED = (
    "UPDATED",
    "VIDEO_UPDATED",
    "VIDEO_TRANSCRIPTION_UPDATED",
    "REJECTED",
    "DELETED",
)
NEW = "NEVER_SEEN_BEFORE"
WORDS = {"U": UPDATED, "V": VIDEO, "T": TRANSCRIBED, "R": REJECTED, "D": DELETED, "N": NEW, "-": ""}


def log(story: str) -> list[Change]:
    """Return the changes of a story such as `aU bR`: session and change type, cursors 0, 1, 2 ..."""
    return [
        Change(str(place), None if word[0] == "?" else word[0], WORDS[word[1]], None)
        for place, word in enumerate(story.split())
    ]


def told(story: str, concerns: Callable[..., bool], gone: str = "") -> str:
    """Return the steps for a story such as `a1 b2x`: session, cursor, x for a removal."""
    steps = plan(log(story), concerns, gone=list(gone))
    return " ".join(f"{step.change.session_id}{step.change.cursor}{'x' if step.removal else ''}" for step in steps)


@pytest.mark.parametrize(
    ("story", "sessions", "transcripts"),
    [
        pytest.param("", "", "", id="nothing"),
        pytest.param("aU", "a0", "", id="updated"),
        pytest.param("aV", "", "", id="video"),
        pytest.param("aT", "", "a0", id="transcribed"),
        pytest.param("aN", "a0", "a0", id="a type never seen before"),
        pytest.param("a-", "a0", "a0", id="no type at all"),
        pytest.param("aU aV aT", "a0", "a2", id="the life of a session"),
        pytest.param("aT aU", "a1", "a0", id="case 4: transcript first"),
        pytest.param("aU aT", "a0", "a1", id="case 4: update first"),
        pytest.param("aU bU aU aU", "b1 a3", "", id="once, at the newest place"),
        pytest.param("aU aV", "a0", "", id="at the newest place that concerns the stream"),
        pytest.param("aR", "a0x", "a0x", id="rejected"),
        pytest.param("aD", "a0x", "a0x", id="deleted"),
        pytest.param("aU aT aR", "a2x", "a2x", id="what precedes a removal is not fetched"),
        pytest.param("aR aU", "a0x a1", "a0x a1", id="case 2: accepted again"),
        pytest.param("aR aU aT", "a0x a1", "a0x a2", id="accepted again with its transcript"),
        pytest.param("aR aU aR", "a2x", "a2x", id="accepted and rejected again"),
        pytest.param("aR aR", "a1x", "a1x", id="rejected twice: one tombstone"),
        pytest.param("?U ?R ?T", "", "", id="responses that are no session"),
        pytest.param("aU bR cU aT bU", "a0 b1x c2 b4", "b1x a3 b4", id="several sessions"),
    ],
)
def test_a_log_becomes_the_fewest_steps(story: str, sessions: str, transcripts: str) -> None:
    """By the table of change types; a removal at its own place, then at most one fetch per session."""
    assert told(story, concerns_session) == sessions
    assert told(story, concerns_transcript) == transcripts


@pytest.mark.parametrize(
    ("story", "gone", "transcripts"),
    [
        pytest.param("aU", "a", "a0", id="an update brings a tombstoned transcript back"),
        pytest.param("aU bU", "a", "a0", id="but no other"),
        pytest.param("aU aT", "a", "a1", id="and what follows is one fetch"),
        pytest.param("aN", "a", "a0", id="an unknown type asks"),
        pytest.param("aV", "a", "", id="a video does not"),
    ],
)
def test_a_tombstoned_transcript_comes_back_with_an_update(story: str, gone: str, transcripts: str) -> None:
    """The ids in `gone` are asked for again when their session is."""
    assert told(story, concerns_transcript, gone) == transcripts


@pytest.mark.parametrize(
    ("story", "gone"),
    [pytest.param("aT", "a", id="later sync"), pytest.param("aR aT", "", id="same sync")],
)
def test_a_transcript_of_a_rejected_session_is_not_asked_for(story: str, gone: str) -> None:
    """Case 3: the tombstone stays, no call."""
    assert told(story, concerns_transcript, gone) == " ".join(
        f"{word[0]}{place}x" for place, word in enumerate(story.split()) if word[1] == "R"
    )


STORIES = st.lists(st.tuples(st.sampled_from("abc?"), st.sampled_from("UVTRDN")), max_size=25).map(
    lambda words: " ".join(f"{session}{kind}" for session, kind in words)
)


@given(STORIES, st.sampled_from([concerns_session, concerns_transcript]), st.sampled_from(["", "a", "ab"]))
def test_every_plan_is_small_and_in_order(story: str, concerns: Callable[..., bool], gone: str) -> None:
    """At most one tombstone and one later fetch per session, in the log's order, and nothing missed."""
    changes = log(story)
    steps = plan(changes, concerns, gone=list(gone))
    places = [int(step.change.cursor) for step in steps]
    assert places == sorted(places)
    assert all(step.change == changes[place] for step, place in zip(steps, places, strict=True))
    for session in "abc":
        mine = [step for step in steps if step.change.session_id == session]
        assert [step.removal for step in mine] in ([], [True], [False], [True, False])
        removals = [change for change in changes if change.session_id == session and change.change_type in REMOVALS]
        assert [step.change for step in mine if step.removal] == removals[-1:]
        rest = changes[int(removals[-1].cursor) + 1 if removals else 0 :]
        if any(change.session_id == session and change.change_type == NEW for change in rest):
            assert mine
            assert not mine[-1].removal


@given(STORIES, st.integers(0, 25), st.sampled_from([concerns_session, concerns_transcript]))
def test_a_log_read_in_two_parts_ends_the_same(story: str, cut: int, concerns: Callable[..., bool]) -> None:
    """Whether a session is there or removed at the end does not depend on where a sync stopped."""

    def play(parts: list[list[Change]]) -> dict[str, bool]:
        """Return for each session that was touched whether it ends removed, as a warehouse would see it."""
        gone: dict[str, None] = {}
        removed: dict[str, bool] = {}
        for part in parts:
            for step in plan(part, concerns, gone=list(gone)):
                session = step.change.session_id or ""
                removed[session] = step.removal
                if step.removal:
                    gone[session] = None
                else:
                    gone.pop(session, None)
        return removed

    changes = log(story)
    assert play([changes]) == play([changes[:cut], changes[cut:]])
