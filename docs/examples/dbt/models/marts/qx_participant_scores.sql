-- The participant's own score: what the QXscore of a period or of an audience is made of.
select
    task_groups.session_id,
    task_groups.test_id,
    task_groups.task_group_id,
    qx_scores.label,
    tests.test_title,
    sessions.audience_id,
    sessions.ended_at,
    {{ usertesting.period_start('sessions.ended_at', var('usertesting_qx_period')) }} as period_start,
    task_groups.score
from {{ ref('stg_usertesting__task_groups') }} as task_groups
inner join {{ ref('stg_usertesting__sessions') }} as sessions
    on task_groups.session_id = sessions.session_id
left join {{ ref('stg_usertesting__qx_scores') }} as qx_scores
    on task_groups.test_id = qx_scores.test_id and task_groups.task_group_id = qx_scores.task_group_id
left join {{ ref('stg_usertesting__tests') }} as tests
    on task_groups.test_id = tests.test_id
where task_groups.task_group_type = 'QX_SCORE' and task_groups.score is not null
