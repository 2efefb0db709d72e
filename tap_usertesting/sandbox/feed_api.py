"""The change feed: GraphQL over POST. graphql-core executes it, so an invalid query fails as it does at the vendor."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    parse,
    validate,
    value_from_ast_untyped,
)

from tap_usertesting.sandbox.feed_schema import feed_schema
from tap_usertesting.sandbox.requests_and_replies import Json, Reply, Request, json_reply

if TYPE_CHECKING:
    from tap_usertesting.sandbox.world import World

_CACHED_DOCUMENTS = 256
_CACHED_FROM = 1_000_000  # bytes of a reply
_BUDGET = 30_000  # points a minute that the feed claims to grant
_BAD_TOKEN = "OAuth2 token expired or invalid"  # noqa: S105 - the vendor's message, no secret


class FeedRequest:
    """The parts of a feed request: its document, or the errors that prevent its execution."""

    def __init__(self, text: str, variables: Json, operation_name: str | None) -> None:
        """Keep the parts. ``FeedApi.read`` sets ``document`` and ``errors``."""
        self.text = text
        self.variables = variables
        self.operation_name = operation_name
        self.document: DocumentNode | None = None
        self.errors: list[GraphQLError] = []


class FeedApi:
    """Answers GraphQL requests from a world."""

    def __init__(self, world: World) -> None:
        """Serve a world."""
        self._world = world
        self._schema = feed_schema(world)
        self._documents: OrderedDict[str, tuple[DocumentNode | None, list[GraphQLError]]] = OrderedDict()
        self._cached_reply: tuple[object, Reply] | None = None

    def read(self, request: Request) -> FeedRequest | Reply:
        """Return the parts of a GraphQL request, or the reply to a request that is none."""
        if request.method != "POST":
            return _errors(405, [{"message": "Only POST is supported"}])
        try:
            body = json.loads(request.body)
        except ValueError:
            return _errors(400, [{"message": "POST body sent invalid JSON."}])
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return _errors(400, [{"message": "Must provide query string."}])
        variables = body.get("variables") or {}
        if not isinstance(variables, dict):
            return _errors(400, [{"message": "Variables are invalid JSON."}])
        asked = FeedRequest(body["query"], variables, body.get("operationName"))
        asked.document, asked.errors = self._document(asked.text)
        return asked

    def answer(self, asked: FeedRequest) -> Reply:
        """Execute an authorised request. A big reply is cached until the world or the request changes."""
        if self._world.feed_limit_next > 0:
            with self._world.lock:
                self._world.feed_limit_next -= 1
            extensions = _ratelimit(0, datetime.now(timezone.utc) + timedelta(seconds=self._world.feed_limit_wait))
            return json_reply(
                200, {"errors": [{"message": "Rate limit exceeded"}], "data": None, "extensions": extensions}
            )
        options = self._world.feed_options
        if asked.document is None or asked.errors:
            return _errors(400, options.errors([dict(error.formatted) for error in asked.errors]))
        refusal = options.refusal_for(feed_operations(asked))
        if refusal is not None:
            return _errors(refusal.status, options.errors([refusal.as_error()]))
        key = (
            asked.text,
            json.dumps(asked.variables, sort_keys=True),
            asked.operation_name,
            self._world.version,
            self._world.feed_order,
            self._world.variant,
            self._world.feed_scopes_missing,
        )
        if self._cached_reply is not None and self._cached_reply[0] == key and options.is_default:
            return self._cached_reply[1]
        result = execute_sync(
            self._schema,
            asked.document,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            context_value=[options.cap or 0],
        )
        errors = options.errors([dict(error.formatted) for error in result.errors or []])
        if result.data is None:
            # Nothing was executed: a variable has the wrong type, or the operation is unknown.
            return _errors(400, errors)
        options.send_numbers(result.data)
        body: Json = {"errors": errors} if errors else {}
        body.update(data=result.data, extensions=_ratelimit(_BUDGET, _next_minute()))
        reply = json_reply(200, body)
        if len(reply.body) > _CACHED_FROM and options.is_default:
            self._cached_reply = (key, reply)
        return reply

    def _document(self, text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
        """Parse and validate a query; results are cached."""
        known = self._documents.get(text)
        if known is None:
            try:
                document = parse(text)
            except GraphQLError as error:
                known = (None, [error])
            else:
                known = (document, validate(self._schema, document))
            self._documents[text] = known
            if len(self._documents) > _CACHED_DOCUMENTS:
                self._documents.popitem(last=False)
        return known


def feed_operations(asked: FeedRequest) -> list[dict[str, str | None]]:
    """Return the root fields of a request with their arguments, for the call log, faults and hooks."""
    if asked.document is None:
        return []
    fragments: dict[str, FragmentDefinitionNode] = {}
    roots: list[FieldNode] = []
    for definition in asked.document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    for definition in asked.document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            roots += _root_fields(definition.selection_set, fragments)
    return [_operation(root, asked.variables) for root in roots]


def _operation(root: FieldNode, variables: Json) -> dict[str, str | None]:
    arguments = {
        argument.name.value: value_from_ast_untyped(argument.value, variables) for argument in root.arguments or ()
    }
    return {
        "field": root.name.value,
        "testUUID": arguments.get("testUUID"),
        # A variable that was not sent is an Undefined object here, not None.
        "sinceCursor": value if isinstance(value := arguments.get("sinceCursor"), str) else None,
    }


def _root_fields(selection: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> list[FieldNode]:
    fields: list[FieldNode] = []
    for node in selection.selections:
        if isinstance(node, FieldNode):
            fields.append(node)
        elif isinstance(node, InlineFragmentNode):
            fields += _root_fields(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
            fields += _root_fields(fragments[node.name.value].selection_set, {})
    return fields


def unauthenticated() -> Reply:
    """Return the reply to a request without credentials, which sees a limited schema without these fields."""
    info = "You are unauthenticated and see a limited schema."
    error = 'Cannot query field "testResultChanges" on type "Query".'
    return json_reply(400, {"info": [{"message": info}], "errors": [{"message": error}]})


def bad_token() -> Reply:
    """Return the reply to a request with an invalid or expired token."""
    return _errors(401, [{"message": _BAD_TOKEN}])


def _errors(status: int, errors: list[Any]) -> Reply:
    return json_reply(status, {"errors": errors})


def _ratelimit(remaining: int, reset: datetime) -> Json:
    told = reset.isoformat(timespec="microseconds" if reset.microsecond else "seconds")
    return {"ratelimit": {"window_reset": told, "cost": 0, "remaining": remaining}}


def _next_minute() -> datetime:
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) + timedelta(minutes=1)
