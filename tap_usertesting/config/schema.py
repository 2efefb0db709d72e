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
        description="A ready bearer token of the Results API, instead of client_id and client_secret.",
    ),
    th.Property(
        "test_ids",
        th.ArrayType(th.StringType),
        title="Test ids",
        description="UUIDs of the tests to read, with or without `ut_`. Default: every test the credentials can see.",
    ),
    th.Property(
        "workspace_ids",
        th.ArrayType(th.StringType),
        title="Workspace ids",
        description="UUIDs of the workspaces in which tests are discovered, when test_ids is not set. Default: all.",
    ),
    th.Property(
        "product_types",
        th.ArrayType(th.StringType),
        title="Product types",
        description="Product types of tests to read, such as THINK_OUT_LOUD, when test_ids is not set. Default: all.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Sessions that finished before it, and older events, are not read. Moving it back takes effect "
        "only with a full refresh.",
    ),
    th.Property(
        "feed_url",
        th.StringType,
        title="Feed URL",
        description="GraphQL endpoint of the response change feed. Without it changes come from the session list.",
    ),
    th.Property(
        "feed_access_token",
        th.StringType,
        secret=True,
        title="Feed access token",
        description="Bearer token of the change feed; required when feed_url is on another origin than api_url.",
    ),
    th.Property(
        "feed_test_ids",
        th.ArrayType(th.StringType),
        title="Feed test ids",
        description="The feed's own test UUIDs for the stream result_changes. Without it: `ut_` and each test id.",
    ),
    th.Property(
        "change_source",
        th.StringType,
        default=AUTO,
        allowed_values=[AUTO, FEED, LISTING],
        title="Change source",
        description="Where changes come from: `auto` is the feed where proven to describe the test, else the list.",
    ),
    th.Property(
        "session_details_version",
        th.StringType,
        default=AUTO,
        allowed_values=[AUTO, "v2", "v3"],
        title="Session details version",
        description="Version of the details endpoint; `auto` asks v3, and v2 while no v3 answer has succeeded.",
    ),
    th.Property(
        "lookback_hours",
        th.IntegerType,
        default=24,
        minimum=0,
        maximum=876_000,  # a hundred years: Python has no dates before the year 1
        title="Lookback hours",
        description="How many hours below the bookmark sessions that appear late in the list are still looked for.",
    ),
    th.Property(
        "transcript_wait_days",
        th.IntegerType,
        default=7,
        minimum=0,
        maximum=36_500,
        title="Transcript wait days",
        description="How many days after a session its missing transcript or details are asked for again.",
    ),
    th.Property(
        "video_links",
        th.BooleanType,
        default=False,
        title="Video links",
        description="Adds the stream session_videos: links to the videos, usable by whoever has them, for an hour.",
    ),
    th.Property(
        "parallel_streams",
        th.BooleanType,
        default=True,
        title="Parallel streams",
        description="Streams run side by side and share the quota; false: one after the other, for debugging.",
    ),
    th.Property(
        "exclude_personal_data",
        th.StringType,
        allowed_values=[OMIT, HASH],
        title="Exclude personal data",
        description="`omit` leaves out what participants are and say, `hash` puts hashes there. Default: neither.",
    ),
    th.Property(
        "personal_data_salt",
        th.StringType,
        secret=True,
        title="Salt for personal data",
        description="Key of the hashes, at least 16 characters; the same value always gives the same hash.",
    ),
    th.Property(
        "max_calls",
        th.IntegerType,
        minimum=1,
        title="Max calls",
        description="Calls of the Results API after which a sync ends, to go on in the next. Default: no limit.",
    ),
    th.Property(
        "max_duration",
        th.IntegerType,
        minimum=1,
        title="Max duration",
        description="Seconds after which a sync ends, to go on in the next; no wait goes beyond. Default: no limit.",
    ),
    th.Property(
        "max_quiet_hours",
        th.IntegerType,
        minimum=0,
        default=24,
        title="Max quiet hours",
        description="Without the change feed, how many hours a test whose sessions ended long ago may go without being "
        "asked; 0 asks every test at each sync.",
    ),
    th.Property(
        "calls_per_minute",
        th.IntegerType,
        minimum=1,
        title="Calls per minute",
        description="A lid on the calls of the Results API in any minute, for who shares the credentials or knows the "
        "contract better than the server tells. Default: what the server allows, 10 where it does not say.",
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
        description="Scopes asked of the token endpoint.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType,
        default=60,
        minimum=1,
        maximum=86_400,  # seconds; sockets of some systems do not accept more
        title="Request timeout",
        description="Seconds to wait for a connection or for data.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType,
        default=8,
        minimum=1,
        title="Max retries",
        description="Tries of one call when faults occur.",
    ),
    th.Property(
        "max_body_mb",
        th.IntegerType,
        default=8,
        minimum=1,
        title="Max body size",
        description="Largest answer that is read, in MB; of the change feed 32 times as large.",
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
