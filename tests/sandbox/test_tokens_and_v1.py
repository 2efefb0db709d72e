"""The token endpoint and the discovery of tests by v1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tap_usertesting.sandbox import Sandbox, World
from tests.sandbox.client import Client
from tests.support.harness import LONG
from tests.support.simulated_time import SimulatedTime

if TYPE_CHECKING:
    import requests

V1 = "/usertesting/api/v1"
NOBODY = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        pytest.param({"client_secret": "wrong"}, 401, "invalid_client", id="secret"),
        pytest.param({"client_id": "wrong"}, 401, "invalid_client", id="client"),
        pytest.param({"scope": "public_api.read"}, 400, "invalid_scope", id="scope"),
        pytest.param({"scope": ""}, 400, "invalid_scope", id="no scope"),
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", id="grant"),
    ],
)
def test_token_is_refused(client: Client, changed: dict[str, str], status: int, error: str) -> None:
    """Errors have the status and the words of the vendor's authorization server."""
    answer = client.ask_token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_token_in_either_way(client: Client, box: Sandbox) -> None:
    """Credentials may stand in the form or in the header; anything but a form is refused."""
    form = {"grant_type": "client_credentials", "scope": "studies:read"}
    basic = (box.client_id, box.client_secret)
    body = client.session.post(box.auth_endpoint, data=form, auth=basic, timeout=LONG).json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "studies:read")
    assert body["access_token"].count(".") == 2
    spoiled = {"Authorization": "Basic /w=="}
    assert client.session.post(box.auth_endpoint, data=form, headers=spoiled, timeout=LONG).status_code == 401
    assert client.session.post(box.auth_endpoint, json=form, timeout=LONG).json()["error"] == "invalid_request"


def test_token_ends() -> None:
    """A token expires after its lifetime, and at once when it is revoked."""
    at = SimulatedTime()
    with Sandbox(World.seeded(), token_lifetime=60, clock=at.monotonic) as box:
        client = Client(box)
        with client.session:
            answers = [client.get(f"{V1}/workspaces").status_code]
            at.now += 59.9
            answers.append(client.get(f"{V1}/workspaces").status_code)
            at.now += 0.2
            answers.append(client.get(f"{V1}/workspaces").status_code)
            client.token = client.ask_token().json()["access_token"]
            answers.append(client.get(f"{V1}/workspaces").status_code)
            box.revoke_tokens()
            answers.append(client.get(f"{V1}/workspaces").status_code)
    assert answers == [200, 200, 401, 200, 401]


def test_log_masks_secrets(client: Client, box: Sandbox) -> None:
    """The call log shows that a token was sent, and not which."""
    client.get(f"{V1}/workspaces")
    (call,) = box.calls
    assert call.headers["authorization"] == "Bearer ***"
    assert client.token not in repr(call)


def test_studies_by_pages(client: Client, world: World) -> None:
    """Pages of 50, each item with the cursor that leads on; the last page may be empty."""
    workspace = world.add_workspace("Big")
    tests = [world.add_test("SURVEY", f"Test {n}", workspace=workspace.uuid) for n in range(120)]
    path = f"{V1}/workspaces/{workspace.uuid}"
    pages = [client.get(path).json()]
    while pages[-1]:
        pages.append(client.get(path, after=pages[-1][-1]["cursor"]).json())
    assert [len(page) for page in pages] == [50, 50, 20, 0]
    assert [item["uuid"] for page in pages for item in page] == [test.test_id for test in tests]
    assert pages[0][0]["cursor"] == "MQ"
    assert client.get(path, before=pages[2][0]["cursor"]).json() == pages[1]


def test_workspaces_and_studies(client: Client, world: World) -> None:
    """Workspaces tell id, name and uuid, and together hold every test; a study tells what was asked."""
    listed = client.get(f"{V1}/workspaces").json()
    assert [item["uuid"] for item in listed] == list(world.workspaces)
    items = [item for w in listed for item in client.get(f"{V1}/workspaces/{w['uuid']}").json()]
    assert {item["uuid"]: item["productType"] for item in items} == {
        test.test_id: test.product_type for test in world.tests.values()
    }
    test = next(iter(world.tests.values()))
    study = client.get(f"{V1}/studies/{test.test_id}").json()
    assert (study["title"], study["sessionCount"]) == (test.title, len(test.completed()))


def test_types_in_lower_case(client: Client, world: World) -> None:
    """The vendor's examples write types in lower case."""
    world.v1_lower_case = True
    (first, *_) = client.get(f"{V1}/workspaces/{next(iter(world.workspaces))}").json()
    assert (first["type"], first["productType"]) == ("studyv2", "survey")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        pytest.param("/workspaces/seven", 400, "BAD_REQUEST", id="malformed"),
        pytest.param(f"/workspaces/{NOBODY}", 404, "NOT_FOUND", id="workspace"),
        pytest.param(f"/studies/{NOBODY}", 404, "NOT_FOUND", id="study"),
        pytest.param("/users", 404, "NOT_FOUND", id="path"),
    ],
)
def test_errors_of_v1(client: Client, path: str, status: int, code: str) -> None:
    """v1 words its errors in its own way."""
    answer = client.get(V1 + path)
    assert answer.status_code == status
    assert answer.json()["errorCode"] == code
    assert answer.json()["errorMessage"]


@pytest.mark.parametrize("cursor", ["%", "YWI", "LTE"])
def test_bad_cursor_of_v1(client: Client, world: World, cursor: str) -> None:
    """A cursor that was not given out is refused."""
    answer = client.get(f"{V1}/workspaces/{next(iter(world.workspaces))}", after=cursor)
    assert answer.json() == {"errorCode": "BAD_REQUEST", "errorMessage": "Not a valid cursor"}


@pytest.mark.parametrize(
    ("accepted", "by_bearer", "by_token"),
    [({"bearer"}, 200, 401), ({"token"}, 401, 200), ({"bearer", "token"}, 200, 200)],
)
def test_header_of_v1(
    client: Client, world: World, accepted: set[Literal["bearer", "token"]], by_bearer: int, by_token: int
) -> None:
    """v1 takes the token in the header the world says: sources contradict each other there."""
    world.v1_auth = accepted
    assert client.get(f"{V1}/workspaces").status_code == by_bearer
    answer: requests.Response = client.session.get(
        f"{client.box.url}{V1}/workspaces", headers={"token": client.token}, timeout=LONG
    )
    assert answer.status_code == by_token
