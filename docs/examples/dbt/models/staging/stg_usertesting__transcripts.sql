select
    session_id,
    test_id,
    vtt,
    text,
    changed_at
from {{ usertesting.table('transcripts') }}
where deleted_at is null
