"""The part of the legacy v1 API that discovers tests: workspaces and their studies."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from tap_usertesting.sandbox.endpoints import LEGACY_PREFIX
from tap_usertesting.sandbox.requests_and_replies import Reply, Request, is_uuid, json_reply

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_usertesting.sandbox.model import Test
    from tap_usertesting.sandbox.requests_and_replies import Json
    from tap_usertesting.sandbox.world import World

_CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 404: "NOT_FOUND"}


def legacy_error(status: int, message: str) -> Reply:
    """Return an error in the form of v1."""
    return json_reply(status, {"errorCode": _CODES[status], "errorMessage": message})


LEGACY_UNAUTHORISED = legacy_error(401, "Unauthorized")


def legacy_token(request: Request, accepted: Collection[str]) -> str | None:
    """Return the token in ``Authorization: Bearer`` or in the header ``token``, if that way is ``accepted``."""
    if "bearer" in accepted and request.bearer:
        return request.bearer
    return request.headers.get("token") if "token" in accepted else None


class LegacyApi:
    """Answers requests for the workspaces and studies of a world."""

    def __init__(self, world: World) -> None:
        """Serve a world."""
        self._world = world

    def answer(self, request: Request) -> Reply:
        """Answer one authorised call."""
        resource, _, key = request.path.removeprefix(LEGACY_PREFIX).partition("/")
        if (
            self._world.variant.legacy == "gone"
            or request.method != "GET"
            or resource not in {"workspaces", "studies"}
            or "/" in key
        ):
            return legacy_error(404, "Not Found")
        with self._world.lock:
            if resource == "workspaces" and not key:
                return json_reply(
                    200,
                    [
                        {"id": w.id, "name": w.name, "uuid": w.uuid, **self._world.undocumented}
                        for w in self._world.workspaces.values()
                    ],
                )
            if not is_uuid(key):
                return legacy_error(400, "Not a valid UUID")
            if resource == "workspaces":
                return self._studies(key.lower(), request.query)
            test = self._world.tests.get(key.lower())
            return legacy_error(404, "Study not found") if test is None else json_reply(200, _study(test))

    def _studies(self, workspace: str, query: dict[str, str]) -> Reply:
        """Return a page of studies. Each has a cursor, which encodes its place in the list."""
        if workspace not in self._world.workspaces:
            return legacy_error(404, "Workspace not found")
        tests = [test for test in self._world.tests.values() if test.workspace.uuid == workspace]
        first, last = 0, len(tests)
        try:
            if "after" in query and self._world.variant.legacy_after:
                first = _place(query["after"])
            if "before" in query:
                last = _place(query["before"]) - 1
                first = max(last - self._world.v1_page, 0)
        except ValueError:
            return legacy_error(400, "Not a valid cursor")
        page = list(enumerate(tests, start=1))[first:last][: self._world.v1_page]
        items = [test.study_item(_cursor(place)) for place, test in page]
        if self._world.v1_lower_case:
            for item in items:
                item.update(type=item["type"].lower(), productType=item["productType"].lower())
        return json_reply(200, [{**item, **self._world.undocumented} for item in items])


def _cursor(place: int) -> str:
    return base64.b64encode(str(place).encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        place = int(base64.b64decode(padded, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError("not a cursor") from error
    if place < 0:
        raise ValueError("not a cursor")
    return place


def _study(test: Test) -> Json:
    name, email = test.ordered_by
    tasks = [
        {"position": place, "taskType": task.prompt.type.lower(), "text": task.prompt.text, "grouping": "MAIN"}
        for place, task in enumerate(test.plan.tasks, start=1)
    ]
    return {
        "title": test.title,
        "sessionCount": len(test.completed()),
        "orderedBy": {"email": email, "name": name},
        "testPlan": {"shortTest": len(tasks) < 4},  # noqa: PLR2004 - a test of up to three tasks is short
        "netPromoterScores": [],
        "tasks": tasks,
    }
