"""The texts of the sandbox: an answer fits its question, and what is said in a session belongs to its test."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tap_usertesting.sandbox import World
from tap_usertesting.sandbox.studies import STUDIES, study_of
from tap_usertesting.sandbox.texts import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox.study import Study

EVERY_STUDY = [study for studies in STUDIES.values() for study in studies if study.prompts]


def answers(world: World, kind: str) -> Iterator[tuple[Study, str, dict[str, Any]]]:
    """Yield study, question and answer of every task of a kind that was answered."""
    for session in world.sessions.values():
        for task in session.details_v3()["tasks"]:
            if task["type"] == kind and task["response"] and not task["response"]["skipped"]:
                given = [value for value in task["response"]["answer"].values() if value is not None]
                yield session.test.study, task["text"], given[0]


@pytest.fixture(scope="module")
def world() -> World:
    """A world with every study in it, and many sessions of each."""
    return World.seeded(scale="large")


def test_every_study_is_one_of_its_kind() -> None:
    """Tests of different titles ask different things, but for the welcome; none asks the same twice."""
    asked: dict[str, set[str]] = defaultdict(set)
    for study in EVERY_STUDY:
        texts = [prompt.text for prompt in study.prompts]
        assert len(texts) == len(set(texts))
        for prompt in study.prompts:
            if prompt.type != "BLANK":
                asked[prompt.text].add(study.title)
    shared = {text for text, titles in asked.items() if len(titles) > 1}
    assert shared == {"Tell us about anything that surprised you."}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("MULTIPLE_CHOICE", lambda answer: [option["label"] for option in answer["selected"]]),
        ("RANK_ORDER", lambda answer: [place["text"] for place in answer["ranking"]]),
        ("MATRIX", lambda answer: list(answer["rows"])),
        ("WRITTEN", lambda answer: [answer["value"]]),
        ("RATING_SCALE", lambda answer: [answer["labels"]["low"], answer["labels"]["high"]]),
    ],
)
def test_an_answer_fits_its_question(world: World, kind: str, words: Any) -> None:  # noqa: ANN401 - a case
    """Each question is answered with words of its own list, and each word of the list is somebody's answer."""
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    for study, question, answer in answers(world, kind):
        given[study.title, question] |= set(words(answer))
    expected = {
        (study.title, prompt.text): set(prompt.options)
        for study in EVERY_STUDY
        for prompt in study.prompts
        if prompt.type == kind
    }
    assert given == expected


def test_no_two_choices_have_one_list_of_options() -> None:
    """What can be chosen is made for the question."""
    lists = [prompt.options for study in EVERY_STUDY for prompt in study.prompts if prompt.type == "MULTIPLE_CHOICE"]
    assert (
        len(lists) == len(set(lists)) == len([study for study in EVERY_STUDY if study not in STUDIES["THINK_OUT_LOUD"]])
    )


def test_one_option_unless_several_are_asked_for(world: World) -> None:
    """A question for one thing gets one; a question for several gets one to three, none twice."""
    several = {prompt.text: prompt.several for study in EVERY_STUDY for prompt in study.prompts}
    numbers: dict[bool, set[int]] = defaultdict(set)
    for _, question, answer in answers(world, "MULTIPLE_CHOICE"):
        ids = [option["optionId"] for option in answer["selected"]]
        assert ids == sorted(set(ids))
        assert answer["multiSelect"] == several[question]
        assert answer["value"] == ", ".join(option["label"] for option in answer["selected"])
        numbers[several[question]].add(len(ids))
    assert numbers == {False: {1}, True: {1, 2, 3}}


@pytest.mark.parametrize("kind", ["RATING_SCALE", "NPS"])
def test_numbers_gather_around_what_is_typical(world: World, kind: str) -> None:
    """The mean answer to a question with many answers is near its typical one, and every answer is on the scale."""
    typical = {prompt.text: prompt.typical for study in EVERY_STUDY for prompt in study.prompts}
    given: dict[str, list[int]] = defaultdict(list)
    for _, question, answer in answers(world, kind):
        given[question].append(answer["value"])
    for question, values in given.items():
        assert abs(sum(values) / len(values) - typical[question]) < 1
        assert set(values) <= (set(range(11)) if kind == "NPS" else set(range(1, 6)))


def test_what_is_said_belongs_to_the_test(world: World) -> None:
    """A transcript holds sentences of its study, in that order and none twice, and in monologues some asides."""
    for session in world.sessions.values():
        if session.vtt is None:
            continue
        cues = [html.unescape(line) for line in re.findall(r"-->.*\n(.*)", session.vtt)]
        study = session.test.study
        said = [re.sub(r"</?v[^>]*>", "", line) for line in cues]
        assert len(said) == len(set(said))
        order = list(study.spoken) + [words for topic in study.talk for words in topic]
        places = [order.index(words) for words in said if words not in SENTENCES]
        assert places == sorted(places)
        assert len(places) > len(said) / 2
        assert bool(study.talk) == ("<v Moderator>" in session.vtt)


def test_a_title_of_its_own_has_the_texts_of_its_kind() -> None:
    """A test that nobody wrote texts for borrows those of the first study of its product type."""
    assert study_of("SURVEY", "Something else") is STUDIES["SURVEY"][0]
    assert study_of("NEW_KIND", "Something else").prompts == ()
