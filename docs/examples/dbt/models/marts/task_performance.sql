select
    test_id,
    task_id,
    max(test_title) as test_title,
    min(task_number) as task_number,
    -- v2 details call a task SKIPPED that others of the same test call by its kind.
    max(case when task_type <> 'SKIPPED' then task_type end) as task_type,
    max(task_text) as task_text,
    count(*) as sessions,
    sum(case when outcome = 'answered' then 1 else 0 end) as answered,
    sum(case when outcome = 'skipped' then 1 else 0 end) as skipped,
    sum(case when outcome = 'none' then 1 else 0 end) as without_response,
    -- Success is told of some answers only, so the rate is of those.
    count(succeeded) as success_told,
    avg(case when succeeded then 1.0 when not succeeded then 0.0 end) as success_rate,
    avg(seconds_on_task) as mean_seconds,
    {{ usertesting.percentile('seconds_on_task', 0.5) }} as median_seconds,
    {{ usertesting.percentile('seconds_on_task', 0.9) }} as p90_seconds
from {{ ref('task_results') }}
group by test_id, task_id
