"""Discovery: which tests there are, page by page, whatever form the legacy API answers in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tap_usertesting.api.auth import StaticToken
from tap_usertesting.api.errors import BadRequestError, CredentialsRejectedError, NotFoundError, ServerFaultError
from tap_usertesting.api.results import ResultsClient
from tap_usertesting.config.settings import Settings
from tap_usertesting.sync.discovery import Directory
from tests.support.servers import Reply, Scripted, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_usertesting.api.transport import Transport
    from tests.api.conftest import MakeCall

FIRST, SECOND = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")


def study(n: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    """Return study number n as the legacy API lists it."""
    return {"uuid": f"study-{n}", "type": "STUDYV2", "productType": "SURVEY", "cursor": f"c{n}", **more}


class Legacy:
    """The legacy API over a list of workspaces and their studies."""

    def __init__(
        self,
        studies: dict[str, list[dict[str, Any]]],
        *,
        page: int = 50,
        wrap: bool = False,
        header: str = "authorization",
    ) -> None:
        """Answer `page` items a time after the cursor named; `wrap` them in an object; want the token in `header`."""
        self.studies = studies
        self.page = page
        self.wrap = wrap
        self.header = header

    def __call__(self, seen: Seen) -> Reply:
        """Answer one request."""
        if self.header not in seen.headers:
            return Reply(401, b'{"errorCode": "U", "errorMessage": "Unauthorized"}')
        path, after = urlsplit(seen.path).path, parse_qs(urlsplit(seen.path).query).get("after")
        room = path.removeprefix("/usertesting/api/v1/workspaces").strip("/")
        if room and room not in self.studies:
            return Reply(404, b'{"errorCode": "N", "errorMessage": "Workspace not found"}')
        items = self.studies[room] if room else [{"uuid": one, "name": one} for one in self.studies]
        start = next((n + 1 for n, one in enumerate(items) if after and one.get("cursor") == after[0]), 0)
        page: Any = items[start : start + self.page]
        name = "studies" if room else "workspaces"
        return Reply(200, json.dumps({name: page, "total": 1} if self.wrap else page).encode())


@pytest.fixture
def directory(transport: Transport, make_call: MakeCall) -> Callable[..., Directory]:
    """Return a maker of directories that read from a URL."""

    def make(url: str, **config: Any) -> Directory:  # noqa: ANN401 - JSON is anything
        service = make_call(url, auth=StaticToken("token-1")).service
        settings = Settings.parse({"access_token": "token-1", "api_url": url, **config}, selected=["sessions"])
        client = ResultsClient(transport=transport, service=service, api_url=f"{url}/")
        return Directory(client=client, settings=settings)

    return make


def ids(found: list[dict[str, Any]]) -> list[str]:
    """Return the ids of items."""
    return [str(one["uuid"]) for one in found]


def test_configured_tests_cost_no_call(directory: Callable[..., Directory]) -> None:
    """With `test_ids` nothing is discovered, and no product type is known."""
    with Scripted() as server:
        found = directory(server.url, test_ids=[FIRST])
        assert (found.discovers, found.product_types) == (False, {FIRST: None})
    assert server.seen == []


def test_every_workspace_is_walked_once(directory: Callable[..., Directory]) -> None:
    """Workspaces, then the studies of each until nothing more comes; what was read is kept for all streams."""
    legacy = Legacy({FIRST: [study(1), study(2, productType=None)], SECOND: [study(3, type="CLASSIC")]})
    with Scripted(legacy) as server:
        found = directory(server.url)
        assert found.discovers
        for _ in range(2):
            assert ids(found.workspaces) == [FIRST, SECOND]
            assert found.product_types == {"study-1": "SURVEY", "study-2": None}
        assert [(one["uuid"], one["workspaceUuid"]) for one in found.studies] == [
            ("study-1", FIRST),
            ("study-2", FIRST),
            ("study-3", SECOND),
        ]
    assert len(server.seen) == 1 + 2 + 2
    assert server.seen[0].path == "/usertesting/api/v1/workspaces"


def test_chosen_workspaces_are_not_looked_for(directory: Callable[..., Directory]) -> None:
    """With `workspace_ids` the list of workspaces is read only for its own stream, and holds only those."""
    with Scripted(Legacy({FIRST: [study(1)], SECOND: [study(2)]})) as server:
        found = directory(server.url, workspace_ids=[SECOND.upper()])
        assert list(found.product_types) == ["study-2"]
        assert len(server.seen) == 2
        assert ids(found.workspaces) == [SECOND]


def test_types_are_compared_in_any_case_and_ids_are_lower_case(directory: Callable[..., Directory]) -> None:
    """Two pages of the vendor write the types differently."""
    studies = [
        study(1, type="studyv2", productType="think_out_loud", uuid="ABC"),
        study(2, type="StudyV1"),
        study(3, type=None),
    ]
    with Scripted(Legacy({FIRST: studies})) as server:
        assert directory(server.url).product_types == {"abc": "THINK_OUT_LOUD"}


def test_a_study_in_two_workspaces_is_one_test(directory: Callable[..., Directory]) -> None:
    """It is read once, and belongs to the first."""
    with Scripted(Legacy({FIRST: [study(1)], SECOND: [study(1)]})) as server:
        assert [(one["uuid"], one["workspaceUuid"]) for one in directory(server.url).studies] == [("study-1", FIRST)]


@pytest.mark.parametrize("wrap", [pytest.param(False, id="bare list"), pytest.param(True, id="wrapped in an object")])
@pytest.mark.parametrize(
    ("count", "requests"),
    [
        pytest.param(0, 1, id="none"),
        pytest.param(49, 2, id="a short page may not be the last"),
        pytest.param(50, 2, id="nor may a full one"),
        pytest.param(51, 3, id="one more"),
        pytest.param(175, 5, id="four pages"),
    ],
)
def test_pages_are_followed_by_after(
    directory: Callable[..., Directory], count: int, requests: int, *, wrap: bool
) -> None:
    """Each page begins after the last one's cursor, until one is empty."""
    with Scripted(Legacy({FIRST: [study(n) for n in range(count)]}, wrap=wrap)) as server:
        found = directory(server.url, workspace_ids=[FIRST]).studies
    assert ids(found) == [f"study-{n}" for n in range(count)]
    assert len(server.seen) == requests
    assert "after" not in server.seen[0].path
    assert all(f"after=c{min(50 * n, count) - 1}" in seen.path for n, seen in enumerate(server.seen) if n)


@pytest.mark.parametrize("page", [1, 10, 25, 49, 60, 100])
def test_pages_of_any_length_are_followed(directory: Callable[..., Directory], page: int) -> None:
    """The vendor says "up to 50": a server that gives fewer at a time hides no test, nor a workspace."""
    legacy = Legacy({FIRST: [study(n) for n in range(60)], SECOND: [study(60)]}, page=page)
    with Scripted(legacy) as server:
        assert ids(directory(server.url, workspace_ids=[FIRST, SECOND]).studies) == [f"study-{n}" for n in range(61)]


@pytest.mark.parametrize("lengths", [(25, 24, 11), (50, 3, 50, 1), (1, 50)])
def test_a_page_that_is_short_in_mid_list_hides_no_test(
    directory: Callable[..., Directory], lengths: tuple[int, ...]
) -> None:
    """As of a server that leaves out of each page what the user may not see."""
    numbers = iter(range(sum(lengths)))
    replies = [Reply(200, json.dumps([study(next(numbers)) for _ in range(length)]).encode()) for length in lengths]
    with Scripted(*replies, Reply(200, b"[]")) as server:
        assert len(directory(server.url, workspace_ids=[FIRST]).studies) == sum(lengths)
    assert len(server.seen) == len(lengths) + 1


@pytest.mark.parametrize("end", [Reply(400, b'{"errorCode": "BAD_REQUEST"}'), Reply(404), Reply(204, b"")])
def test_a_server_that_refuses_to_go_on_behind_a_short_page_has_ended_its_list(
    directory: Callable[..., Directory], end: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """By the vendor's own text a short page is the last: that nothing stands behind it is no error, but is said."""
    caplog.set_level("INFO")
    page = Reply(200, json.dumps([study(n) for n in range(3)]).encode())
    with Scripted(page, end) as server:
        assert len(directory(server.url, workspace_ids=[FIRST]).studies) == 3
    assert ("the tap takes the 3 items read so far for the whole list" in caplog.text) == (end.status >= 400)


def test_a_server_that_refuses_to_go_on_behind_a_full_page_is_an_error(directory: Callable[..., Directory]) -> None:
    """There most likely are more tests, and a part is never taken for the whole."""
    page = Reply(200, json.dumps([study(n) for n in range(50)]).encode())
    with Scripted(page, Reply(400)) as server, pytest.raises(BadRequestError):
        _ = directory(server.url, workspace_ids=[FIRST]).studies


def test_a_last_item_without_a_cursor_does_not_end_the_list(directory: Callable[..., Directory]) -> None:
    """It goes on behind the last item that names one."""
    pages = [[study(1), study(2), {}], [study(3, cursor=None)]]
    with Scripted(*(Reply(200, json.dumps(page).encode()) for page in pages)) as server:
        assert len(directory(server.url, workspace_ids=[FIRST]).studies) == 3
    assert "after=c2" in server.seen[1].path


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({}, id="pages that all begin at the start"),
        pytest.param({"cursor": "same"}, id="a cursor that never moves"),
    ],
)
def test_a_repeated_page_ends_the_walk(directory: Callable[..., Directory], odd: dict[str, str]) -> None:
    """A server that knows another parameter than `after` sends the first page for ever: no endless loop."""
    page = json.dumps([study(n, **odd) for n in range(50)]).encode()
    with Scripted(Reply(200, page)) as server:
        assert len(directory(server.url, workspace_ids=[FIRST]).studies) == 50
    assert len(server.seen) == 2


def test_new_items_with_a_repeated_cursor_end_the_walk(directory: Callable[..., Directory]) -> None:
    """A cursor that stands still would be asked for again for ever."""
    turn = [0]

    def answer(_seen: Seen) -> Reply:
        turn[0] += 50
        return Reply(200, json.dumps([study(turn[0] + n, cursor="same") for n in range(50)]).encode())

    with Scripted(answer) as server:
        assert len(directory(server.url, workspace_ids=[FIRST]).studies) == 100
    assert len(server.seen) == 2


def test_full_pages_without_a_cursor_are_named(
    directory: Callable[..., Directory], caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be paged is read as far as it goes, with a warning."""
    page = [{key: value for key, value in study(n).items() if key != "cursor"} for n in range(50)]
    with Scripted(Reply(200, json.dumps(page).encode())) as server:
        assert len(directory(server.url, workspace_ids=[FIRST]).studies) == 50
        assert len(server.seen) == 1
    assert "names no cursor" in caplog.text


def test_items_without_an_id_are_left_out(directory: Callable[..., Directory]) -> None:
    """What is no study is no test, and no reason to fail."""
    page = [study(1), {"uuid": None}, {}, "text", None, study(2)]
    with Scripted(Reply(200, json.dumps(page).encode())) as server:
        assert ids(directory(server.url, workspace_ids=[FIRST]).studies) == ["study-1", "study-2"]


@pytest.mark.parametrize("body", [b'{"items": []}', b'"text"', b"null", b'{"studies": {}}'])
def test_a_body_of_another_shape_is_a_fault(directory: Callable[..., Directory], body: bytes) -> None:
    """It is tried again, then the run ends with one line; never taken for no tests at all."""
    with Scripted(Reply(200, body)) as server, pytest.raises(ServerFaultError, match="the body is not a list"):
        _ = directory(server.url, workspace_ids=[FIRST]).studies
    assert len(server.seen) == 3


def test_the_bare_header_is_tried_once_and_kept(directory: Callable[..., Directory]) -> None:
    """A server that wants the token in a header of its own answers 401 once, and is never asked wrongly again."""
    with Scripted(Legacy({FIRST: [study(n) for n in range(60)]}, header="token")) as server:
        found = directory(server.url)
        assert len(found.product_types) == 60
    tokens = [(seen.headers.get("authorization"), seen.headers.get("token")) for seen in server.seen]
    assert tokens == [("Bearer token-1", None), *[(None, "token-1")] * 4]


def test_when_neither_header_is_taken_the_credentials_are_refused(directory: Callable[..., Directory]) -> None:
    """Two requests, then the line about the credentials."""
    with Scripted(Reply(401)) as server, pytest.raises(CredentialsRejectedError):
        _ = directory(server.url).workspaces
    assert len(server.seen) == 2


def test_an_unknown_workspace_is_an_error(directory: Callable[..., Directory]) -> None:
    """A workspace of the settings that is not there is not taken for an empty one."""
    with Scripted(Legacy({FIRST: []})) as server, pytest.raises(NotFoundError, match="Workspace not found"):
        _ = directory(server.url, workspace_ids=[SECOND]).studies


@pytest.mark.parametrize("odd", ["../../admin", "a/b", "a?b=c", "x" * 129, "ä"])
def test_an_id_that_would_lead_elsewhere_is_never_put_in_a_path(
    directory: Callable[..., Directory], odd: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Ids come from a server and may hold anything: such a workspace is left out with a warning."""
    page = json.dumps([{"uuid": odd, "name": "odd"}]).encode()
    with Scripted(Reply(200, page)) as server:
        assert directory(server.url).studies == []
    assert len(server.seen) == 1
    assert "left out 1 item without a usable uuid" in caplog.text
