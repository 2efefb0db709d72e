-- A cue belongs to the task in whose time it begins: from the task's start on, and before its end. Of tasks that overlap
-- it is the one that started last; of those that started together, the later one in the session.
with candidates as (
    select
        cues.session_id,
        cues.cue_number,
        tasks.task_number,
        row_number() over (
            partition by cues.session_id, cues.cue_number
            order by tasks.start_ms desc, tasks.task_number desc
        ) as preference
    from {{ ref('stg_usertesting__transcript_cues') }} as cues
    inner join {{ ref('stg_usertesting__task_responses') }} as tasks
        on cues.session_id = tasks.session_id
        and cues.start_ms >= tasks.start_ms
        and cues.start_ms < tasks.end_ms
)

select
    cues.session_id,
    cues.cue_number,
    cues.test_id,
    tests.test_title,
    sessions.ended_at,
    tasks.task_number,
    tasks.task_id,
    tasks.task_type,
    tasks.task_text,
    tasks.outcome,
    cues.start_seconds,
    cues.end_seconds,
    (cues.start_ms - tasks.start_ms) / 1000.0 as seconds_into_task,
    cues.speaker,
    cues.text
from {{ ref('stg_usertesting__transcript_cues') }} as cues
inner join {{ ref('stg_usertesting__sessions') }} as sessions
    on cues.session_id = sessions.session_id
left join candidates
    on cues.session_id = candidates.session_id
    and cues.cue_number = candidates.cue_number
    and candidates.preference = 1
left join {{ ref('stg_usertesting__task_responses') }} as tasks
    on candidates.session_id = tasks.session_id and candidates.task_number = tasks.task_number
left join {{ ref('stg_usertesting__tests') }} as tests
    on cues.test_id = tests.test_id
