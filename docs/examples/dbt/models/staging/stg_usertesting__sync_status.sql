select
    test_id,
    stream,
    title as test_title,
    source,
    status,
    complete_from,
    newest_change_at,
    source_count,
    counted_at,
    unread,
    waiting,
    given_up,
    left_out,
    removed,
    unlisted,
    -- As many rows as the stream must have that are not rejected, where it has one per session.
    source_count - unread - waiting - given_up - left_out as expected_rows,
    calls_left,
    tap_version,
    run_id,
    started_at,
    finished_at
from {{ usertesting.table('sync_status') }}
