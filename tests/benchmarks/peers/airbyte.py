"""A low-code manifest on `airbyte-cdk`, run by its own command.

It has what the CDK offers: a call budget for the quota (so that nothing is refused), one OAuth token, 404 taken for "no
transcript", sessions incremental by `finishTime`, and details and transcripts that are fetched for new sessions only.
No decoder makes one row of a WebVTT document: transcripts come as one row a line, which are put together here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from tests.benchmarks.peers.peer import PAGE, TABLES, Holdings, printed, program
from tests.support.tables import truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_usertesting.sandbox import World
    from tests.benchmarks.peers.peer import Job

Part = dict[str, Any]

# Seconds: the budget counts from when a call is sent, the server from when it arrives.
_SLACK = 0.1
_FORMAT = "%Y-%m-%dT%H:%M:%S.%_msZ"
_KEYS = {"sessions": "sessionId", "session_details": "sessionId", "qx_scores": "testId"}


class Airbyte:
    """One read a sync; the last state of all that was printed goes into it."""

    name: Final = "airbyte-cdk"
    requirements: Final = ("airbyte-cdk==7.39.1",)

    def sync(self, job: Job) -> Iterator[list[str]]:
        """Run `source-declarative-manifest read`."""
        manifest = _manifest(job)
        streams = [
            {
                "stream": {
                    "name": stream["name"],
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": "full_refresh" if stream["name"] == "qx_scores" else "incremental",
                "destination_sync_mode": "append_dedup",
            }
            for stream in manifest["streams"]
        ]
        command = [program(self, "source-declarative-manifest"), "read"]
        command += ["--config", job.write("config.json", {"__injected_declarative_manifest": manifest})]
        command += ["--catalog", job.write("catalog.json", {"streams": streams})]
        states = {
            message["state"]["stream"]["stream_descriptor"]["name"]: message["state"]
            for message in printed(job)
            if message["type"] == "STATE"
        }
        if states:
            command += ["--state", job.write("state.json", list(states.values()))]
        yield command

    def tables(self, job: Job) -> dict[str, dict[tuple[Any, ...], Any]]:
        """Load the records as `append_dedup` does."""
        found: dict[str, dict[str, Any]] = {name: {} for name in TABLES}
        lines: dict[str, dict[int, list[str]]] = {}
        for message in printed(job):
            if message["type"] != "RECORD":
                continue
            stream, row = message["record"]["stream"], message["record"]["data"]
            if stream == "transcripts":
                # A document that was read twice: its lines begin again with the first.
                versions = lines.setdefault(row["sessionId"], {})
                if row["record"] == "WEBVTT":
                    versions[len(versions)] = []
                versions[len(versions) - 1].append(row["record"])
            else:
                # The CDK leaves nulls out: a null column all the same.
                found[stream][row[_KEYS[stream]]] = {"sessionParticipant": None, **row}
        texts = {key: "\n".join([*versions[len(versions) - 1], ""]) for key, versions in lines.items()}
        holdings = Holdings(found["sessions"], found["session_details"], texts, found["qx_scores"])
        return truth(cast("World", holdings))


def _manifest(job: Job) -> Part:
    """Return the manifest."""
    sessions = _stream(
        "sessions",
        _retriever(
            job,
            "/api/v2/sessionResults",
            ["sessions"],
            partition_router=_partition(job.test_ids, parameter="testId"),
            paginator={
                "type": "DefaultPaginator",
                "page_size_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "limit",
                },
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "offset",
                },
                "pagination_strategy": {"type": "OffsetIncrement", "page_size": PAGE},
            },
        ),
        columns={"testId": "{{ stream_partition['test_id'] }}"},
        incremental_sync=_cursor(client_side=True),
    )
    spoken = {**sessions, "retriever": {**sessions["retriever"], "partition_router": _partition(job.spoken, "testId")}}
    path = "/api/v3/sessionResults/{{ stream_partition['session_id'] }}"
    columns = {"finishTime": "{{ stream_slice.extra_fields['finishTime'] }}"}
    details = _stream(
        "session_details",
        _retriever(job, path, [], partition_router=_of_sessions(sessions)),
        columns=columns,
        incremental_sync=_cursor(client_side=False),
    )
    path = "/api/v2/sessionResults/{{ stream_partition['session_id'] }}/transcript"
    transcripts = _stream(
        "transcripts",
        _retriever(job, path, [], partition_router=_of_sessions(spoken), decoder={"type": "IterableDecoder"}),
        columns={**columns, "sessionId": "{{ stream_partition['session_id'] }}"},
        incremental_sync=_cursor(client_side=False),
    )
    path = "/api/v2/testResults/{{ stream_partition['test_id'] }}/qxScores"
    scores = _stream("qx_scores", _retriever(job, path, [], partition_router=_partition(job.scored)))
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["sessions"]},
        "streams": [sessions, details, transcripts, scores],
        "api_budget": {
            "type": "HTTPAPIBudget",
            "policies": [
                {
                    "type": "MovingWindowCallRatePolicy",
                    "rates": [{"type": "Rate", "limit": job.limit, "interval": f"PT{job.window + _SLACK}S"}],
                    "matchers": [],
                }
            ],
        },
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 2},
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}, "additionalProperties": True},
        },
    }


def _stream(name: str, retriever: Part, *, columns: dict[str, str] | None = None, **more: Part) -> Part:
    stream: Part = {
        "type": "DeclarativeStream",
        "name": name,
        "retriever": retriever,
        "schema_loader": {
            "type": "InlineSchemaLoader",
            "schema": {"type": "object", "properties": {}, "additionalProperties": True},
        },
        **more,
    }
    if name in _KEYS:
        stream["primary_key"] = [_KEYS[name]]
    if columns:
        fields = [{"type": "AddedFieldDefinition", "path": [key], "value": value} for key, value in columns.items()]
        stream["transformations"] = [{"type": "AddFields", "fields": fields}]
    return stream


def _retriever(job: Job, path: str, records: list[str], **more: Part) -> Part:
    return {
        "type": "SimpleRetriever",
        "requester": {
            "type": "HttpRequester",
            "url_base": job.config["api_url"],
            "path": path,
            "http_method": "GET",
            "authenticator": {
                "type": "OAuthAuthenticator",
                "token_refresh_endpoint": job.config["auth_endpoint"],
                "client_id": job.config["client_id"],
                "client_secret": job.config["client_secret"],
                "grant_type": "client_credentials",
                "refresh_request_body": {"scope": "studies:read"},
            },
            "error_handler": {
                "type": "DefaultErrorHandler",
                "max_retries": 12,
                "backoff_strategies": [{"type": "WaitTimeFromHeader", "header": "Retry-After"}],
                "response_filters": [
                    {"type": "HttpResponseFilter", "http_codes": [429], "action": "RATE_LIMITED"},
                    {"type": "HttpResponseFilter", "http_codes": [404], "action": "IGNORE"},
                ],
            },
        },
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": records},
        },
        **more,
    }


def _partition(test_ids: list[str], parameter: str | None = None) -> Part:
    router: Part = {"type": "ListPartitionRouter", "values": test_ids, "cursor_field": "test_id"}
    if parameter:
        router["request_option"] = {
            "type": "RequestOption",
            "inject_into": "request_parameter",
            "field_name": parameter,
        }
    return router


def _of_sessions(sessions: Part) -> Part:
    parent = {
        "type": "ParentStreamConfig",
        "stream": sessions,
        "parent_key": "sessionId",
        "partition_field": "session_id",
        "incremental_dependency": True,
        "extra_fields": [["finishTime"]],
    }
    return {"type": "SubstreamPartitionRouter", "parent_stream_configs": [parent]}


def _cursor(*, client_side: bool) -> Part:
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": "finishTime",
        "datetime_format": _FORMAT,
        "cursor_datetime_formats": [_FORMAT],
        "start_datetime": {
            "type": "MinMaxDatetime",
            "datetime": "2020-01-01T00:00:00.000Z",
            "datetime_format": _FORMAT,
        },
        "is_client_side_incremental": client_side,
    }
