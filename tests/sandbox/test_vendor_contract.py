"""The answers have the documented shapes: schemas in our own words, closed against extra keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.sandbox.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

UUID = {"type": "string", "format": "uuid"}
TEXT = {"type": "string"}
NUMBER = {"type": "number"}
SCORE = {"type": "number", "minimum": 0, "maximum": 100}
TRUTH = {"type": "boolean"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
SECONDS = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
STATUS = {"enum": ["GENERATING", "GENERATED", "ERROR"]}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def shape(_optional: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in _optional],
        "additionalProperties": False,
    }


SESSION_LIST = shape(
    testId=UUID,
    sessions=many(
        shape(
            ("audienceId", "finishTime"),
            sessionId=UUID,
            audienceId=maybe(UUID),
            status={"const": "COMPLETE"},
            startTime=TIME,
            finishTime=maybe(TIME),
        )
    ),
    meta=shape(pagination=shape(limit=NUMBER, offset=NUMBER, totalCount=NUMBER)),
)
KINDS = (
    "blank",
    "ratingScale",
    "multipleChoice",
    "image",
    "nps",
    "url",
    "rankOrder",
    "written",
    "figma",
    "matrix",
)
ANSWER = shape(KINDS, **{kind: maybe({"type": "object"}) for kind in KINDS})
PARTICIPANT = shape(
    participantId=maybe(UUID),
    demographicsInfo=many(
        shape(
            id=maybe(TEXT),
            code=maybe(TEXT),
            label=maybe(TEXT),
            value=maybe(TEXT),
            type={
                "enum": [
                    "DEMOGRAPHIC_QUESTION_TYPE_SINGLE",
                    "DEMOGRAPHIC_QUESTION_TYPE_MULTIPLE",
                    "UNRECOGNIZED",
                    None,
                ]
            },
        )
    ),
)
DETAILS = shape(
    sessionId=maybe(UUID),
    audienceId=maybe(UUID),
    testPlanId=maybe(UUID),
    sessionParticipant=maybe(PARTICIPANT),
    taskGroups=many(
        shape(
            uuid=UUID,
            type={"enum": ["QX_SCORE", "BALANCED_COMPARISON", "UNRECOGNIZED"]},
            response={"oneOf": [shape(score=SCORE), shape(sequence=TEXT), {"type": "null"}]},
        )
    ),
    tasks=many(
        shape(
            uuid=UUID,
            text=TEXT,
            type={
                "enum": [
                    *("BLANK", "RATING_SCALE", "MULTIPLE_CHOICE", "IMAGE", "NPS", "URL", "RANK_ORDER"),
                    *("WRITTEN", "FIGMA", "MATRIX", "UNRECOGNIZED"),
                ]
            },
            response=maybe(shape(startTimeMs=NUMBER, endTimeMs=NUMBER, skipped=TRUTH, answer=maybe(ANSWER))),
        )
    ),
)
SCORES = shape(
    testId=UUID,
    qxScores=many(
        shape(
            taskGroupId=TEXT,
            label=TEXT,
            qxScore=maybe(SCORE),
            components=shape(behavioral=maybe(SCORE), attitudinal=SCORE),
            values=shape(behavioral=maybe(many(NUMBER)), usability=SCORE, trust=SCORE, appearance=SCORE, loyalty=SCORE),
        )
    ),
    meta=shape(totalQxTasks=NUMBER, completes=NUMBER),
)
POINT = shape(x=NUMBER, y=NUMBER)
REGION = shape(("topLeftPoint",), topLeftPoint=POINT, widthPx=NUMBER, heightPx=NUMBER)
CLIPS = shape(
    ("videoRegions",),
    studyUuid=UUID,
    clips=many(
        shape(
            ("description", "layout"),
            uuid=UUID,
            name=TEXT,
            description=TEXT,
            timeStartMs=NUMBER,
            timeEndMs=NUMBER,
            videoUuid=UUID,
            hasAudio=TRUTH,
            hasCamera=TRUTH,
            layout=shape(
                mainStream={"enum": ["SCREEN", "CAMERA"]},
                pipPosition={"enum": ["TOP_LEFT", "TOP_RIGHT", "BOTTOM_LEFT", "BOTTOM_RIGHT"]},
                pipState={"enum": ["OPENED", "CLOSED"]},
            ),
        )
    ),
    videoRegions=shape(("screen", "camera"), screen=REGION, camera=REGION),
)
CLIP = shape(("clipUrl",), clipUuid=UUID, status=STATUS, clipUrl=maybe(TEXT))
VIDEO = shape(videoUrl=TEXT, sessionId=UUID, expiresAt=SECONDS)
REELS = shape(
    reels=many(
        shape(
            uuid=UUID,
            name=TEXT,
            durationMs=NUMBER,
            lastUpdatedAtMs=NUMBER,
            numClips=NUMBER,
            areAllClipsInReel=TRUTH,
        )
    ),
    studyWithClips=TRUTH,
)
REEL = shape(("reelUrl",), reelId=UUID, status=STATUS, reelUrl=maybe(TEXT))
PERSON = shape(email=TEXT, name=TEXT)
WORKSPACES = many(shape(id=TEXT, name=TEXT, uuid=UUID))
STUDIES = many(
    shape(cursor=TEXT, orderedAt=SECONDS, orderedBy=PERSON, productType=TEXT, title=TEXT, type=TEXT, uuid=UUID)
)
STUDY = shape(
    title=TEXT,
    sessionCount={"type": "integer"},
    orderedBy=PERSON,
    testPlan=shape(shortTest=TRUTH),
    netPromoterScores=many({"type": "object"}),
    tasks=many(shape(position={"type": "integer"}, taskType=TEXT, text=TEXT, grouping=TEXT)),
)
V1 = "/usertesting/api/v1"


def paths(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every path of a world with the shape of its answer."""
    yield f"{V1}/workspaces", WORKSPACES
    for workspace in world.workspaces:
        yield f"{V1}/workspaces/{workspace}", STUDIES
    for test in world.tests.values():
        yield f"{V1}/studies/{test.test_id}", STUDY
        yield f"/api/v2/sessionResults?testId={test.test_id}&limit=500&offset=0", SESSION_LIST
        yield f"/api/v2/testResults/{test.test_id}/qxScores", SCORES
        yield f"/api/v2/testResults/{test.test_id}/highlightreels", REELS
    for session in world.sessions.values():
        yield f"/api/v3/sessionResults/{session.session_id}", DETAILS
        yield f"/api/v2/sessionResults/{session.session_id}/videoDownloadUrl", VIDEO
        yield f"/api/v2/sessionResults/{session.session_id}/clips", CLIPS
        for clip in session.clips:
            yield f"/api/v2/sessionResults/{session.session_id}/clips/{clip['uuid']}", CLIP


@pytest.mark.parametrize("seed", [7, 8])
def test_answers_have_the_documented_shapes(seed: int) -> None:
    """Whatever is answered with 200 fits; nothing is answered with anything but 200 and 404."""
    world = World.seeded(seed)
    kinds_met: set[str] = set()
    with Sandbox(world) as box:
        client = Client(box)
        with client.session:
            for path, schema in paths(world):
                answer = client.get(path)
                assert answer.status_code in {200, 404}, path
                if answer.status_code == 404:
                    continue
                check(answer.json(), schema)
                if path.startswith("/api/"):
                    assert "x-ratelimit-reset" in answer.headers
                for reel in answer.json().get("reels", []) if schema is REELS else []:
                    check(client.get(f"{path}/{reel['uuid']}").json(), REEL)
        kinds_met = {call.kind for call in box.calls if call.status == 200}
    assert kinds_met == {*("token", "v1", "list", "details_v3", "video", "clips", "clip", "qx_scores", "reels", "reel")}


def check(body: object, schema: dict[str, Any]) -> None:
    """Validate a body, formats included."""
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(body)


def test_shapes_catch_a_deviation() -> None:
    """The check itself fails on a missing key, an extra key and a wrong type."""
    good = {"clipUuid": "41f72104-5f84-44fa-a16a-03f575159611", "status": "GENERATED", "clipUrl": None}
    check(good, CLIP)
    for bad in (
        {"status": "GENERATED"},
        {**good, "more": 1},
        {**good, "status": "DONE"},
        {**good, "clipUuid": "7"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check(bad, CLIP)
