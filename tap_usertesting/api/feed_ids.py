"""The feed's ids: a test UUID and a response UUID are the Results API's test id and session id behind a prefix.

No public text joins the two APIs, so this is an assumption. `ChangeReader.feed_describes` checks it for each test.
"""

from __future__ import annotations

from tap_usertesting.api.safe_ids import is_id

TEST_PREFIX = "ut_"
RESPONSE_PREFIX = "ut_response_"


def test_of(test_uuid: str) -> str:
    """Return the test id inside a feed's test UUID, in lower case; an id without the prefix is returned as well."""
    return test_uuid.lower().removeprefix(TEST_PREFIX)


def session_of(response_uuid: str | None) -> str | None:
    """Return the session id inside a feed's response UUID, None where the prefix is missing or the rest is no id."""
    if response_uuid is None or not response_uuid.startswith(RESPONSE_PREFIX):
        return None
    session_id = response_uuid[len(RESPONSE_PREFIX) :]
    return session_id if is_id(session_id) else None
