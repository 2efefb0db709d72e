select
    tasks.session_id,
    tasks.task_id,
    tasks.test_id,
    tests.test_title,
    tasks.task_number,
    tasks.task_type,
    tasks.task_text,
    tasks.outcome,
    tasks.succeeded,
    tasks.started_seconds,
    tasks.seconds_on_task,
    sessions.ended_at
from {{ ref('stg_usertesting__task_responses') }} as tasks
inner join {{ ref('stg_usertesting__sessions') }} as sessions
    on tasks.session_id = sessions.session_id
left join {{ ref('stg_usertesting__tests') }} as tests
    on tasks.test_id = tests.test_id
