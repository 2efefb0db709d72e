"""The JSON schema of the settings, for `--about`, for Meltano and for the check of a config."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_usertesting import __version__
from tap_usertesting.ledger.change_log import FEED, LISTING
from tap_usertesting.values.privacy import HASH, OMIT

AUTO = "auto"

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client id",
        description="OAuth client id, issued by UserTesting support.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="OAuth client secret, issued by UserTesting support.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="Bearer token for the Results API, as an alternative to client_id and client_secret.",
    ),
    th.Property(
        "test_ids",
        th.ArrayType(th.StringType),
        title="Test ids",
        description="UUIDs of the tests to read, with or without the prefix `ut_`. Default: all tests that the "
        "credentials can access.",
    ),
    th.Property(
        "workspace_ids",
        th.ArrayType(th.StringType),
        title="Workspace ids",
        description="UUIDs of the workspaces in which to discover tests. Ignored if test_ids is set. Default: all "
        "workspaces.",
    ),
    th.Property(
        "product_types",
        th.ArrayType(th.StringType),
        title="Product types",
        description="Product types of the tests to read, such as THINK_OUT_LOUD. Ignored if test_ids is set. "
        "Default: all types.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Excludes sessions that finished before this time, and older events. If you move it back, the "
        "next sync reads the excluded sessions. The stream result_changes reads excluded events only "
        "after a full refresh.",
    ),
    th.Property(
        "feed_url",
        th.StringType,
        title="Feed URL",
        description="GraphQL endpoint of the response change feed. If it is not set, changes come from the session "
        "list.",
    ),
    th.Property(
        "feed_access_token",
        th.StringType,
        secret=True,
        title="Feed access token",
        description="Bearer token for the change feed. Required if feed_url has a different origin from api_url.",
    ),
    th.Property(
        "feed_test_ids",
        th.ArrayType(th.StringType),
        title="Feed test ids",
        description="The feed's own test UUIDs, for the stream result_changes. Default: `ut_` followed by each test "
        "id.",
    ),
    th.Property(
        "change_source",
        th.StringType,
        default=AUTO,
        allowed_values=[AUTO, FEED, LISTING],
        title="Change source",
        description="Source of changes. `auto` uses the feed for a test if the feed provably describes that test, "
        "otherwise the session list.",
    ),
    th.Property(
        "session_details_version",
        th.StringType,
        default=AUTO,
        allowed_values=[AUTO, "v2", "v3"],
        title="Session details version",
        description="Version of the details endpoint. `auto` uses v3, and v2 if v3 returns 404 and has never "
        "succeeded.",
    ),
    th.Property(
        "lookback_hours",
        th.IntegerType,
        default=24,
        minimum=0,
        maximum=876_000,  # a hundred years: Python has no dates before the year 1
        title="Lookback hours",
        description="How many hours before the bookmark the tap looks for sessions that appear late in the session "
        "list.",
    ),
    th.Property(
        "transcript_wait_days",
        th.IntegerType,
        default=7,
        minimum=0,
        maximum=36_500,
        title="Transcript wait days",
        description="How many days after a session the tap keeps requesting its missing transcript or details.",
    ),
    th.Property(
        "video_links",
        th.BooleanType,
        default=False,
        title="Video links",
        description="Adds the stream session_videos with links to the videos. Anyone with a link can watch the video "
        "for about an hour.",
    ),
    th.Property(
        "parallel_streams",
        th.BooleanType,
        default=True,
        title="Parallel streams",
        description="Reads streams in parallel with a shared quota. Set to false to read one stream at a time, for "
        "debugging.",
    ),
    th.Property(
        "exclude_personal_data",
        th.StringType,
        allowed_values=[OMIT, HASH],
        title="Exclude personal data",
        description="`omit` leaves out personal data, `hash` replaces it with hashes. Default: personal data is "
        "included.",
    ),
    th.Property(
        "personal_data_salt",
        th.StringType,
        secret=True,
        title="Salt for personal data",
        description="Key for the hashes, at least 16 characters. With the same key, equal values have equal hashes.",
    ),
    th.Property(
        "max_calls",
        th.IntegerType,
        minimum=1,
        title="Max calls",
        description="Maximum number of Results API calls in a sync. The next sync continues from there. Default: no "
        "limit.",
    ),
    th.Property(
        "max_duration",
        th.IntegerType,
        minimum=1,
        title="Max duration",
        description="Maximum duration of a sync in seconds, waits included. The next sync continues from there. "
        "Default: no limit.",
    ),
    th.Property(
        "max_quiet_hours",
        th.IntegerType,
        minimum=0,
        default=24,
        title="Max quiet hours",
        description="How many hours a test without recent sessions can go unchecked if there is no change feed. 0 "
        "checks every test in each sync.",
    ),
    th.Property(
        "calls_per_minute",
        th.IntegerType,
        minimum=1,
        title="Calls per minute",
        description="Maximum number of Results API calls per minute. Set it if other programs share the credentials, "
        "or if your contract has a limit that the server does not report. Default: the limit that the "
        "server reports, or 10.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.use2.usertesting.com",
        title="API URL",
        description="Base URL of the Results API.",
    ),
    th.Property(
        "auth_endpoint",
        th.StringType,
        default="https://auth.usertesting.com/oauth2/aus1p3vtd8vtm4Bxv0h8/v1/token",
        title="Auth endpoint",
        description="URL of the OAuth token endpoint.",
    ),
    th.Property(
        "oauth_scopes",
        th.StringType,
        default="studies:read",
        title="OAuth scopes",
        description="OAuth scopes to request from the token endpoint.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType,
        default=60,
        minimum=1,
        maximum=86_400,  # seconds; sockets of some systems do not accept more
        title="Request timeout",
        description="Timeout in seconds for connecting and for receiving data.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType,
        default=8,
        minimum=1,
        title="Max retries",
        description="Maximum number of tries for each call, including the first.",
    ),
    th.Property(
        "max_body_mb",
        th.IntegerType,
        default=8,
        minimum=1,
        title="Max body size",
        description="Maximum size of an API response in MB. Change feed responses can be 32 times as large.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        default=f"tap-usertesting/{__version__}",
        title="User agent",
        description="User-Agent header of every request.",
    ),
).to_dict()

# The SDK reads this setting, but does not list it among those that it adds to the schema.
SDK_SETTINGS = {"emit_activate_version_messages": {"type": ["boolean", "null"]}}
SECRETS = frozenset(name for name, node in SCHEMA["properties"].items() if node.get("secret"))
DEFAULTS = {name: node["default"] for name, node in SCHEMA["properties"].items() if "default" in node}
