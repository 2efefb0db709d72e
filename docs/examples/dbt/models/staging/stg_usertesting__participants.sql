select
    session_id,
    test_id,
    details_version,
    audience_id,
    test_plan_id,
    {{ usertesting.json_text(usertesting.as_json('session_participant'), ['participant_id']) }} as participant_id
from {{ source('usertesting', 'session_details') }}
where deleted_at is null
