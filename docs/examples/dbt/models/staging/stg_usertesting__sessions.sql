-- What was rejected is not here: a mart that joins this model leaves it out.
select
    session_id,
    test_id,
    audience_id,
    status,
    start_time as started_at,
    finish_time as finished_at,
    -- The vendor does not always say when a session finished. This is also the time that the tap orders by.
    coalesce(finish_time, start_time) as ended_at,
    changed_at
from {{ usertesting.table('sessions') }}
where deleted_at is null
