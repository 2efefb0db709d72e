{{ config(enabled=var('usertesting_has_session_clips')) }}

select
    session_id,
    test_id,
    clip_number,
    clip_id,
    name as clip_name,
    description as clip_description,
    time_start_ms as start_ms,
    time_end_ms as end_ms,
    time_start_ms / 1000.0 as start_seconds,
    time_end_ms / 1000.0 as end_seconds,
    video_id,
    has_audio,
    has_camera
from {{ usertesting.table('session_clips') }}
where deleted_at is null
