select
    session_id,
    test_id,
    change_type as removed_by,
    deleted_at as removed_at
from {{ usertesting.table('sessions') }}
where deleted_at is not null
