select
    test_id,
    cursor as change_cursor,
    session_id,
    response_uuid,
    change_type,
    changed_at
from {{ usertesting.table('result_changes') }}
