"""What counts as a break of a released form, what excuses it, and how the form of a version grows."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from tests.published.breaks import Verdict, judge, sections

if TYPE_CHECKING:
    from collections.abc import Callable

    Edit: TypeAlias = Callable[[dict[str, Any]], None]

FORM: dict[str, Any] = {
    "version": "1.0.0",
    "capabilities": ["discover", "state"],
    "exit_codes": {"0": {"means": "all was read"}, "78": {"means": "wrong setting"}},
    "options": {
        "--plan": {"takes": "a value or none", "alone": "short", "allowed": ["json", "short"]},
        "--config": {"takes": "a value", "repeats": True},
        "--doctor": {"takes": "nothing"},
    },
    "settings": {
        "max_calls": {"types": ["integer", "null"], "minimum": 1, "maximum": 100},
        "mode": {"types": ["null", "string"], "allowed": ["a", "b"], "default": "a"},
        "ratio": {"types": ["number"]},
        "test_ids": {"types": ["array", "null"], "items": ["integer", "string"]},
        "token": {"types": ["string"], "secret": True},
        "since": {"types": ["string"], "format": "date-time", "required": True},
    },
    "state": {"history": {"types": ["object"]}, "history.cursor": {"types": ["string"]}},
    "streams": {
        "sessions": {
            "key": ["session_id", "number"],
            "replication_method": "INCREMENTAL",
            "replication_key": "at",
            "selected_by_default": True,
            "only_with": None,
            "columns": {
                "session_id": {"types": ["string"]},
                "number": {"types": ["integer"]},
                "at": {"types": ["null", "string"], "format": "date-time"},
                "status": {"types": ["null", "string"]},
                "score": {"types": ["null", "number"]},
                "tasks": {"types": ["array", "null"]},
                "tasks[]": {"types": ["null", "object"]},
                "tasks[].answer": {"types": ["null", "string"], "personal": True},
            },
        },
        "videos": {"key": ["id"], "only_with": "links", "columns": {"id": {"types": ["string"]}}},
    },
}
PLAN, CALLS, MODE = ("options", "--plan"), ("settings", "max_calls"), ("settings", "mode")
SESSIONS = ("streams", "sessions")
COLUMNS = (*SESSIONS, "columns")


def put(*path: str, **facts: object) -> Edit:
    """An edit that sets facts of what stands at a path; None takes one away."""

    def edit(form: dict[str, Any]) -> None:
        node = form
        for step in path:
            node = node.setdefault(step, {})
        node.update(facts)
        for name in [name for name, fact in facts.items() if fact is None]:
            del node[name]

    return edit


def drop(*path: str) -> Edit:
    """An edit that takes something away, with what is inside it."""

    def edit(form: dict[str, Any]) -> None:
        node = form
        for step in path[:-1]:
            node = node[step]
        for name in [name for name in node if name == path[-1] or name.startswith((f"{path[-1]}.", f"{path[-1]}["))]:
            del node[name]

    return edit


def edited(edit: Edit, version: str = "1.0.0") -> dict[str, Any]:
    """The example after an edit."""
    form = deepcopy(FORM) | {"version": version}
    edit(form)
    return form


def changelog(*entries: str, released: tuple[str, ...] = (), version: str = "Unreleased") -> str:
    """A changelog with entries under Breaking of one version, and other versions below."""
    text = f"# Changelog\n\n## [{version}]\n\n### Added\n\n- Something.\n\n"
    text += "### Breaking\n\n" + "".join(f"- {entry}\n" for entry in entries) if entries else ""
    return text + "".join(f"\n## [{name}] - 2026-01-01\n\n### Added\n\n- `mode`.\n" for name in released)


def of_next(edit: Edit, *entries: str) -> Verdict:
    """What is said of the next great version, after an edit."""
    return judge(edited(edit, "2.0.0"), {"1.0.0": FORM}, changelog(*entries, released=("1.0.0",)))


BREAKS = [
    pytest.param(drop(*CALLS), "`max_calls`", id="setting gone"),
    pytest.param(put(*CALLS, types=["null"]), "`max_calls`", id="setting takes a type less"),
    pytest.param(put(*CALLS, types=["integer"]), "`max_calls`", id="setting takes no null"),
    pytest.param(put("settings", "ratio", types=["integer"]), "`ratio`", id="setting takes only whole numbers"),
    pytest.param(put("settings", "test_ids", items=["string"]), "`test_ids`", id="setting takes other items"),
    pytest.param(put(*MODE, allowed=["a"]), "`mode`", id="setting takes a value less"),
    pytest.param(put("settings", "token", allowed=["x"]), "`token`", id="setting takes named values only"),
    pytest.param(put(*CALLS, minimum=2), "`max_calls`", id="minimum raised"),
    pytest.param(put("settings", "ratio", minimum=0), "`ratio`", id="minimum new"),
    pytest.param(put(*CALLS, maximum=99), "`max_calls`", id="maximum lowered"),
    pytest.param(put("settings", "ratio", maximum=9), "`ratio`", id="maximum new"),
    pytest.param(put("settings", "token", format="uri"), "`token`", id="setting has to have a form"),
    pytest.param(put(*CALLS, required=True), "`max_calls`", id="setting required"),
    pytest.param(put("settings", "new", types=["string"], required=True), "`new`", id="new setting required"),
    pytest.param(put(*MODE, default="b"), "`mode`", id="default changed"),
    pytest.param(put(*MODE, default=None), "`mode`", id="default gone"),
    pytest.param(put(*CALLS, default=5), "`max_calls`", id="default new"),
    pytest.param(put("settings", "token", secret=None), "`token`", id="secret no more"),
    pytest.param(drop("options", "--doctor"), "`--doctor`", id="option gone"),
    pytest.param(put(*PLAN, allowed=["short"]), "`--plan`", id="option takes a value less"),
    pytest.param(put(*PLAN, alone="json"), "`--plan`", id="option alone means something else"),
    pytest.param(put("options", "--doctor", takes="a value"), "`--doctor`", id="option needs a value"),
    pytest.param(put("options", "--config", repeats=None), "`--config`", id="option cannot be repeated"),
    pytest.param(drop("streams", "videos"), "`videos`", id="stream gone"),
    pytest.param(put(*SESSIONS, key=["number", "session_id"]), "`sessions`", id="key in another order"),
    pytest.param(put(*SESSIONS, replication_method="FULL_TABLE"), "`sessions`", id="replication method"),
    pytest.param(put(*SESSIONS, replication_key="number"), "`sessions`", id="replication key"),
    pytest.param(put(*SESSIONS, selected_by_default=False), "`sessions`", id="not selected by default"),
    pytest.param(put(*SESSIONS, only_with="links"), "`sessions`", id="stream behind a setting"),
    pytest.param(put("streams", "videos", only_with=None), "`videos`", id="stream without its setting"),
    pytest.param(drop(*COLUMNS, "status"), "`sessions.status`", id="column gone"),
    pytest.param(drop(*COLUMNS, "tasks"), "`sessions.tasks`", id="column gone with its fields"),
    pytest.param(drop(*COLUMNS, "tasks[].answer"), "`sessions.tasks[].answer`", id="field gone"),
    pytest.param(put(*COLUMNS, "status", types=["integer", "null"]), "`sessions.status`", id="column of another type"),
    pytest.param(
        put(*COLUMNS, "status", types=["integer", "null", "string"]), "`sessions.status`", id="column of one type more"
    ),
    pytest.param(put(*COLUMNS, "score", types=["integer", "null"]), "`sessions.score`", id="numbers become integers"),
    pytest.param(put(*COLUMNS, "number", types=["integer", "null"]), "`sessions.number`", id="column can be null"),
    pytest.param(put(*COLUMNS, "at", format=None), "`sessions.at`", id="column loses its format"),
    pytest.param(put(*COLUMNS, "status", format="date-time"), "`sessions.status`", id="column gets a format"),
    pytest.param(
        put(*COLUMNS, "tasks[].answer", personal=None), "`sessions.tasks[].answer`", id="field is personal no more"
    ),
    pytest.param(put(*COLUMNS, "status", personal=True), "`sessions.status`", id="column becomes personal"),
    pytest.param(drop("state", "history.cursor"), "state key `history.cursor`", id="state key gone"),
    pytest.param(drop("state", "history"), "state key `history`", id="state key gone with those in it"),
    pytest.param(
        put("state", "history.cursor", types=["integer"]), "state key `history.cursor`", id="state key of another type"
    ),
    pytest.param(drop("exit_codes", "78"), "exit code `78`", id="exit code gone"),
    pytest.param(put("exit_codes", "78", means="wrong option"), "exit code `78`", id="exit code means something else"),
    pytest.param(put(capabilities=["discover"]), "capability `state`", id="capability gone"),
]


@pytest.mark.parametrize(("edit", "mention"), BREAKS)
def test_break_is_seen_once_and_passes_only_once_it_is_named(edit: Edit, mention: str) -> None:
    """Each kind fails, and an entry with another name, a longer one or without backticks does not help."""
    [problem] = of_next(edit).problems
    assert problem.startswith(f"{mention}: ")
    assert problem.endswith(" (since 1.0.0)")
    longer, bare = mention.removesuffix("`") + "_of_it`", mention.replace("`", "")
    assert problem in of_next(edit, f"{longer} is gone.").problems
    assert problem in of_next(edit, f"{bare} is gone.").problems
    named = of_next(edit, f"What was at {mention} is different.")
    assert named == Verdict([], edited(edit, "2.0.0"))
    assert of_next(edit, f"{mention[0].upper()}{mention[1:]} is different.") == named


@pytest.mark.parametrize(("edit", "mention"), BREAKS)
def test_break_within_a_version_is_kept_with_its_form(edit: Edit, mention: str) -> None:
    """Until the release the form tells what was there, so that the entry still counts; without the entry it fails."""
    bare, named = changelog(), changelog(f"{mention} is different.")
    [problem] = judge(edited(edit), {"1.0.0": FORM}, bare).problems
    assert problem.startswith(f"{mention}: ")
    problems, form = judge(edited(edit), {"1.0.0": FORM}, named)
    assert problems == []
    assert mention in form["was"]
    assert judge(edited(edit), {"1.0.0": form}, named) == Verdict([], form)
    assert judge(edited(edit), {"1.0.0": form}, bare).problems == [problem]


@pytest.mark.parametrize(("edit", "mention"), BREAKS)
def test_break_that_is_mended_leaves_nothing(edit: Edit, mention: str) -> None:
    """Once all is as it was, the entry is one too many, and the form is as it was."""
    named = changelog(f"{mention} is different.")
    form = judge(edited(edit), {"1.0.0": FORM}, named).form
    mended = edited(lambda _: None)
    assert judge(mended, {"1.0.0": form}, changelog()) == Verdict([], FORM)
    assert judge(mended, {"1.0.0": form}, named).problems == [
        f"CHANGELOG names under Breaking what is not broken: {mention} is different."
    ]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(put("settings", "new", types=["string"]), id="setting"),
        pytest.param(put("settings", "ratio", types=["integer", "number", "string"]), id="setting takes one type more"),
        pytest.param(put(*CALLS, types=["null", "number"]), id="setting takes numbers, not only integers"),
        pytest.param(
            put("settings", "test_ids", items=["integer", "number", "string"]), id="setting takes other items too"
        ),
        pytest.param(put(*MODE, allowed=["a", "b", "c"]), id="setting takes one value more"),
        pytest.param(put(*MODE, allowed=None), id="setting takes any value"),
        pytest.param(put(*CALLS, minimum=0, maximum=200), id="wider bounds"),
        pytest.param(put(*CALLS, minimum=None, maximum=None), id="no bounds"),
        pytest.param(put("settings", "since", format=None, required=None), id="setting neither required nor of a form"),
        pytest.param(put(*CALLS, secret=True), id="setting becomes secret"),
        pytest.param(put("options", "--new", takes="nothing"), id="option"),
        pytest.param(put("options", "--config", takes="a value or none", alone="ENV"), id="option may stand alone"),
        pytest.param(put(*PLAN, allowed=["csv", "json", "short"], repeats=True), id="option takes more"),
        pytest.param(put("streams", "new", key=["id"], columns={"id": {"types": ["string"]}}), id="stream"),
        pytest.param(put(*COLUMNS, "new", types=["null", "string"]), id="column"),
        pytest.param(put(*COLUMNS, "tasks[].new", types=["null", "string"]), id="field"),
        pytest.param(put(*COLUMNS, "status", types=["string"]), id="column is never null"),
        pytest.param(put("state", "new", types=["string"]), id="state key"),
        pytest.param(put("exit_codes", "3", means="new"), id="exit code"),
        pytest.param(put(capabilities=["batch", "discover", "state"]), id="capability"),
    ],
)
def test_addition_or_widening_passes(edit: Edit) -> None:
    """It goes into the form of a version that is still to be released, and breaks none before."""
    new = edited(edit)
    assert new != FORM
    assert judge(new, {"1.0.0": FORM}, changelog()) == Verdict([], new)
    assert judge(edited(edit, "1.0.1"), {"1.0.0": FORM}, changelog(released=("1.0.0",))).problems == []


def test_rename_is_a_loss() -> None:
    """The new name does not make up for the old one."""

    def rename(form: dict[str, Any]) -> None:
        form["settings"]["most_calls"] = form["settings"].pop("max_calls")

    assert "`max_calls`: the setting is gone (since 1.0.0)" in of_next(rename).problems


def test_entry_that_names_nothing_broken_fails_in_the_newest_section_only() -> None:
    """What was said of a version that is out stays as it is."""
    stale = "`max_calls` is gone."
    assert of_next(lambda _: None, stale).problems == [f"CHANGELOG names under Breaking what is not broken: {stale}"]
    older = changelog() + changelog(stale, version="1.0.0").partition("\n\n")[2]
    assert [one.version for one in sections(older)] == ["Unreleased", "1.0.0"]
    assert judge(edited(lambda _: None), {"1.0.0": FORM}, older).problems == []


def test_every_form_in_the_folder_counts() -> None:
    """What a version named excuses a loss to users of older ones; what was only theirs is not forgotten."""
    lost = edited(drop(*CALLS), "2.0.0")
    text = changelog() + changelog("`max_calls` is gone.", version="2.0.0", released=("1.0.0",)).partition("\n\n")[2]
    assert judge(lost | {"version": "2.1.0"}, {"1.0.0": FORM, "2.0.0": lost}, text).problems == []
    [problem, _] = judge(lost | {"version": "2.1.0"}, {"1.0.0": FORM, "2.0.0": FORM}, text).problems
    assert problem == "`max_calls`: the setting is gone (since 2.0.0)"


@pytest.mark.parametrize(
    ("before", "after", "is_enough"),
    [
        pytest.param("0.1.0", "0.1.1", False, id="third number"),
        pytest.param("0.1.0", "0.2.0", True, id="second number while the first is 0"),
        pytest.param("1.2.0", "1.3.0", False, id="second number"),
        pytest.param("1.9.0", "2.0.0", True, id="first number"),
        pytest.param("0.9.0", "0.10.0", True, id="numbers, not text"),
    ],
)
def test_break_needs_a_great_step(before: str, after: str, is_enough: bool) -> None:  # noqa: FBT001
    """As Semantic Versioning has it."""
    text = changelog("`max_calls` is gone.", released=(before,))
    problems = judge(edited(drop(*CALLS), after), {before: FORM | {"version": before}}, text).problems
    step = f"{after} breaks what {before} promised (`max_calls`): it must be a greater step"
    assert problems == ([] if is_enough else [step])


@pytest.mark.parametrize(
    ("edit", "entries"),
    [
        pytest.param(put("settings", "new", types=["string"]), (), id="added"),
        pytest.param(drop(*CALLS), ("`max_calls` is gone.",), id="lost"),
    ],
)
def test_form_of_a_released_version_stays_as_it_is(edit: Edit, entries: tuple[str, ...]) -> None:
    """What comes after a release belongs to the next version."""
    problems = judge(edited(edit), {"1.0.0": FORM}, changelog(*entries, released=("1.0.0",))).problems
    assert problems == ["1.0.0 is released, and its form stays as it is: raise `__version__`"]


def test_release_itself_changes_no_form() -> None:
    """The heading of the version takes the place of Unreleased; what was lost on the way stays named there."""
    entry = "`max_calls` is gone."
    form = judge(edited(drop(*CALLS)), {"1.0.0": FORM}, changelog(entry)).form
    released = changelog() + changelog(entry, version="1.0.0").partition("\n\n")[2]
    assert judge(edited(drop(*CALLS)), {"1.0.0": form}, released) == Verdict([], form)


def test_entries_are_read_over_their_lines_and_no_further() -> None:
    """An entry may be wrapped; what stands under another heading names nothing."""
    text = (
        "# Changelog\n\nText.\n\n## [Unreleased]\n\n### Breaking\n\n- The exit\n  code `78` is gone.\n- `b`.\n\n"
        "### Removed\n\n- `c`.\n\n## [0.2.0] - 2026-01-01\n\n### Added\n\n- `d`.\n\n"
        "## 0.1.0\n\n### Breaking\n\n- `e`.\n"
    )
    assert [tuple(one) for one in sections(text)] == [
        ("Unreleased", ("The exit code `78` is gone.", "`b`.")),
        ("0.2.0", ()),
        ("0.1.0", ("`e`.",)),
    ]
