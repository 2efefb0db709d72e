{#- The last period's mean to date is the mean of all participants. -#}
with last_periods as (
    select
        test_id,
        task_group_id,
        max(participants_to_date) as participants
    from {{ ref('qx_scores_over_time') }}
    group by test_id, task_group_id
),

totals as (
    select
        test_id,
        task_group_id,
        count(*) as participants
    from {{ ref('qx_participant_scores') }}
    group by test_id, task_group_id
)

select totals.*
from totals
left join last_periods
    on totals.test_id = last_periods.test_id and totals.task_group_id = last_periods.task_group_id
where last_periods.participants is null or last_periods.participants <> totals.participants
