"""The objects in the world of the sandbox: workspaces, tests, sessions, and the events of the change feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.compose import (
    WITH_QX_SCORES,
    WITH_TRANSCRIPT,
    WITH_VIDEO,
    compose_clips,
    compose_details_v2,
    compose_details_v3,
    compose_plan,
    compose_reels,
    compose_transcript,
)
from tap_usertesting.sandbox.studies import study_of

if TYPE_CHECKING:
    from tap_usertesting.sandbox.compose import Plan
    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.study import Study


def iso_milliseconds(moment: datetime) -> str:
    """Return a time as the Results API writes it: UTC, milliseconds, ``Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_seconds(moment: datetime) -> str:
    """Return a time as v1 writes it: UTC, whole seconds, ``Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Workspace:
    """A workspace of the account. ``id``: its old number, which v1 sends beside the uuid."""

    uuid: str
    name: str
    id: str


@dataclass(frozen=True)
class Event:
    """One change of one result. Its opaque cursor stands for its place in the log."""

    cursor: str
    response_uuid: str
    test_result_id: int
    change_type: str
    changed_at: datetime

    def node(self) -> Json:
        """Return the event as the feed sends it: ``changedAt`` with microseconds and ``+00:00``."""
        return {
            "cursor": self.cursor,
            "responseUuid": self.response_uuid,
            "testResultId": self.test_result_id,
            "changeType": self.change_type,
            "changedAt": self.changed_at.isoformat(timespec="microseconds"),
        }


@dataclass(eq=False)
class Session:
    """One participant's completed session.

    finished_at: when it really ended.
    finish_time: when it ended according to the API, which may be null.
    visible: the Results API has it.
    visible_rank: its number among the sessions in the order in which they became visible.
    rejected: a researcher has rejected it.
    revision: the number of updates; details and scores are composed anew for each.
    overrides: top-level keys of the v3 details that replace the composed ones.
    """

    session_id: str
    test: Test
    number: int
    audience_id: str | None
    started_at: datetime
    finished_at: datetime
    finish_time: datetime | None
    visible: bool = True
    rejected: bool = False
    has_transcript: bool = False
    given_vtt: str | None = None
    revision: int = 0
    overrides: Json = field(default_factory=dict)
    visible_rank: int = 0

    @property
    def served(self) -> bool:
        """Whether the Results API answers for this session now."""
        return self.visible and not self.rejected and self.test.served_by_results

    @property
    def response_uuid(self) -> str:
        """The session's id in the feed."""
        return f"ut_response_{self.session_id}"

    @property
    def seconds(self) -> float:
        """Length of the session in seconds, at least 1."""
        return max((self.finished_at - self.started_at).total_seconds(), 1.0)

    @property
    def vtt(self) -> str | None:
        """The transcript as WebVTT, None while there is none."""
        return self.any_vtt if self.has_transcript else None

    @property
    def any_vtt(self) -> str:
        """The transcript that the session has, or would have."""
        return self._composed_vtt if self.given_vtt is None else self.given_vtt

    @cached_property
    def _composed_vtt(self) -> str:
        return compose_transcript(self.session_id, self.test.study, self.seconds)

    @cached_property
    def clips(self) -> list[Json]:
        """The clip items of the session's video."""
        return compose_clips(self.session_id, self.test.study, self.seconds)

    def summary(self) -> Json:
        """Return the item of the session list."""
        return {
            "sessionId": self.session_id,
            "audienceId": self.audience_id,
            "status": "COMPLETE",
            "startTime": iso_milliseconds(self.started_at),
            "finishTime": None if self.finish_time is None else iso_milliseconds(self.finish_time),
        }

    def details_v3(self) -> Json:
        """Return the body of the v3 details."""
        body = compose_details_v3(self.session_id, self.revision, self.audience_id, self.test.plan, self.seconds)
        return {**body, **self.overrides}

    def details_v2(self) -> Json:
        """Return the body of the v2 details."""
        return compose_details_v2(self.details_v3())


@dataclass(eq=False)
class Test:
    """One test (v1 calls it a study) with its sessions and its log of events, oldest first.

    access: the Results API answers for it.
    in_feed: the feed knows it.
    expired: the number of events whose cursors the feed has forgotten.
    log_served: the feed has sent the log, so its past can no longer change.
    """

    __test__ = False  # or pytest takes it for a test class

    test_id: str
    title: str
    type: str
    product_type: str
    workspace: Workspace
    ordered_at: datetime
    ordered_by: tuple[str, str]
    in_feed: bool = True
    access: bool = True
    qx_groups: int | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    expired: int = 0
    log_served: bool = False
    version: int = 0
    _places: dict[str, int] | None = None
    _listed: tuple[int, str, list[Session]] | None = None

    @property
    def test_uuid(self) -> str:
        """The test's id in the feed."""
        return f"ut_{self.test_id}"

    @property
    def served_by_results(self) -> bool:
        """Whether the Results API answers for this test. Only v1 knows classic studies."""
        return self.access and self.type == "STUDYV2"

    @property
    def is_filmed(self) -> bool:
        """Whether its sessions have videos, and so clips and reels."""
        return self.product_type in WITH_VIDEO

    @property
    def is_spoken(self) -> bool:
        """Whether its participants speak, so that sessions get transcripts."""
        return self.product_type in WITH_TRANSCRIPT

    @property
    def has_qx_scores(self) -> bool:
        """Whether it is an interaction test."""
        return self.product_type in WITH_QX_SCORES

    @property
    def study(self) -> Study:
        """What the test is about."""
        return study_of(self.product_type, self.title)

    @cached_property
    def plan(self) -> Plan:
        """The tasks and task groups of the test."""
        return compose_plan(self.test_id, self.product_type, self.study, self.qx_groups)

    @cached_property
    def reels(self) -> list[Json]:
        """The highlight reel items of the test."""
        return compose_reels(self.test_id, int(self.ordered_at.timestamp() * 1000))

    def mark_changed(self) -> None:
        """Forget what was cached from sessions and events."""
        self.version += 1
        self._places = None

    def add_event(self, event: Event) -> None:
        """Append an event to the log. Cheap, because some logs have many thousands."""
        if self._places is not None:
            self._places[event.cursor] = len(self.events)
        self.events.append(event)
        self.version += 1

    def place(self, cursor: str) -> int | None:
        """Return the number of events up to and including ``cursor``, None if it is unknown or expired."""
        if self._places is None:
            self._places = {event.cursor: number for number, event in enumerate(self.events)}
        number = self._places.get(cursor)
        return None if number is None or number < self.expired else number + 1

    def completed(self) -> list[Session]:
        """Return the sessions that the Results API counts: visible and not rejected."""
        return [session for session in self.sessions.values() if session.visible and not session.rejected]

    def listed(self, key: str) -> list[Session]:
        """Return the completed sessions newest first by ``key``: ``finish``, ``start`` or ``visible``."""
        if self._listed is None or self._listed[:2] != (self.version, key):
            self._listed = (self.version, key, sorted(self.completed(), key=_list_keys[key], reverse=True))
        return self._listed[2]

    def study_item(self, cursor: str | None = None) -> Json:
        """Return the item of v1's list of studies, with a ``cursor`` if one is given."""
        item: Json = {} if cursor is None else {"cursor": cursor}
        name, email = self.ordered_by
        item.update(
            {
                "orderedAt": iso_seconds(self.ordered_at),
                "orderedBy": {"email": email, "name": name},
                "productType": self.product_type,
                "title": self.title,
                "type": self.type,
                "uuid": self.test_id,
            }
        )
        return item


_list_keys = {
    "finish": lambda session: (session.finish_time or session.started_at, session.session_id),
    "start": lambda session: (session.started_at, session.session_id),
    "visible": lambda session: (session.visible_rank, session.session_id),
}
