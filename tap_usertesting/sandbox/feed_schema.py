"""The GraphQL schema of the change feed and its resolvers. Needs graphql-core, the extra ``sandbox``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError, GraphQLSchema, build_schema

from tap_usertesting.sandbox.variant import arranged

if TYPE_CHECKING:
    from graphql import GraphQLObjectType, GraphQLResolveInfo

    from tap_usertesting.sandbox.model import Test
    from tap_usertesting.sandbox.world import World

_SDL = '''
type Query {
  """The changes of a test's results after a cursor, or its whole history."""
  testResultChanges(testUUID: String!, sinceCursor: String): TestResultChangesConnection
  """How many results of a test changed after a cursor, and the cursor of the newest change."""
  testResultChangesCount(testUUID: String!, sinceCursor: String): TestResultChangesCount
}

type TestResultChangesConnection {
  edges: [TestResultChangeEdge!]!
}

type TestResultChangeEdge {
  node: TestResultChange!
}

"""One change of one result."""
type TestResultChange {
  cursor: String!
  responseUuid: String!
  testResultId: Int!
  changeType: String!
  changedAt: String!
}

type TestResultChangesCount {
  """The number of unique results, not of changes."""
  count: Int!
  latestCursor: String
}
'''


def feed_schema(world: World) -> GraphQLSchema:
    """Return the schema of the feed, with resolvers that read from a world."""
    schema = build_schema(_SDL)
    query = cast("GraphQLObjectType", schema.query_type)

    def changes(_root: object, info: GraphQLResolveInfo[list[int]], **arguments: str | None) -> dict[str, Any]:
        with world.lock:
            test, start = _locate(world, info.field_name, arguments)
            events = test.events[start:]
            order = world.feed_order
        edges = arranged([{"node": event.node()} for event in reversed(events)], order)
        return {"edges": world.feed_options.capped(edges, info.context, newest_first=order == "newest_first")}

    def count(_root: object, info: GraphQLResolveInfo[list[int]], **arguments: str | None) -> dict[str, Any]:
        with world.lock:
            test, start = _locate(world, info.field_name, arguments)
            latest = test.events[-1].cursor if test.events else None
            events = test.events[start:]
            unique = len(events if world.feed_options.count_events else {event.response_uuid for event in events})
        return {"count": unique, "latestCursor": latest}

    query.fields["testResultChanges"].resolve = changes
    query.fields["testResultChangesCount"].resolve = count
    return schema


def _locate(world: World, name: str, arguments: dict[str, str | None]) -> tuple[Test, int]:
    """Return a test and the number of its events up to the cursor. Raises GraphQLError as the feed would answer."""
    if world.feed_scopes_missing:
        raise GraphQLError(f"Missing required scopes: ({world.feed_scopes_missing})")
    for refusal in world.feed_options.refusals:
        if refusal.test_uuid is not None and refusal.applies_to(name, arguments):
            raise GraphQLError(refusal.message, extensions=None if refusal.code is None else {"code": refusal.code})
    test = world.tests.get((arguments["testUUID"] or "").removeprefix("ut_"))
    known = test is not None and test.in_feed and world.variant.feed_tests == "joined"
    if test is None or not known or arguments["testUUID"] != test.test_uuid:
        raise GraphQLError("UserTest does not exist")
    test.log_served = True
    cursor = arguments.get("sinceCursor")
    if cursor is None:
        return test, 0
    start = test.place(cursor)
    if start is None and world.variant.feed_unknown_cursor == "nothing":
        return test, len(test.events)
    if start is None:
        raise GraphQLError(f"Cursor {cursor} is unknown or has expired")
    return test, start - 1 if world.variant.feed_cursor == "inclusive" else start
