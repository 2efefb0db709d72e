-- From the participants' scores and when they finished, so the past is there from the first sync on.
with periods as (
    select
        test_id,
        task_group_id,
        period_start,
        max(label) as label,
        max(test_title) as test_title,
        count(*) as participants,
        sum(score) as total
    from {{ ref('qx_participant_scores') }}
    group by test_id, task_group_id, period_start
),

running as (
    select
        *,
        sum(participants) over (
            partition by test_id, task_group_id order by period_start
            rows between unbounded preceding and current row
        ) as participants_to_date,
        sum(total) over (
            partition by test_id, task_group_id order by period_start
            rows between unbounded preceding and current row
        ) as total_to_date
    from periods
)

select
    test_id,
    task_group_id,
    period_start,
    label,
    test_title,
    participants,
    total / participants as mean_score,
    participants_to_date,
    total_to_date / participants_to_date as mean_score_to_date
from running
