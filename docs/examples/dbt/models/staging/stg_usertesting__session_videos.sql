{{ config(enabled=var('usertesting_has_session_videos')) }}

-- A view on purpose: a link is a secret and ends within the hour, so there is to be one copy of it.
select
    session_id,
    test_id,
    video_url,
    expires_at
from {{ usertesting.table('session_videos') }}
where deleted_at is null
