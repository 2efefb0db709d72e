-- Holds rejected sessions too, marked: when and how many were rejected is one of its answers.
with milestones as (
    select
        test_id,
        session_id,
        count(*) as changes,
        min(case when change_type = 'UPDATED' then changed_at end) as completed_at,
        min(case when change_type = 'VIDEO_UPDATED' then changed_at end) as video_at,
        min(case when change_type = 'VIDEO_TRANSCRIPTION_UPDATED' then changed_at end) as transcribed_at,
        min(case when change_type in ('REJECTED', 'DELETED') then changed_at end) as rejected_at,
        max(changed_at) as last_changed_at
    from {{ ref('stg_usertesting__result_changes') }}
    where session_id is not null
    group by test_id, session_id
)

select
    milestones.test_id,
    milestones.session_id,
    milestones.changes,
    milestones.completed_at,
    milestones.video_at,
    milestones.transcribed_at,
    milestones.rejected_at,
    milestones.last_changed_at,
    {{ usertesting.seconds_between('milestones.completed_at', 'milestones.transcribed_at') }} as seconds_to_transcript,
    -- A rejected session may be accepted again: the sessions table knows how it ended.
    removed.session_id is not null as is_rejected
from milestones
left join {{ ref('stg_usertesting__removed_sessions') }} as removed
    on milestones.session_id = removed.session_id
