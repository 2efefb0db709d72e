select
    session_id,
    test_id,
    details_version,
    audience_id,
    test_plan_id,
    {{ usertesting.json_text(usertesting.as_json('session_participant'), ['participant_id']) }} as participant_id,
    changed_at
from {{ usertesting.table('session_details') }}
where deleted_at is null
