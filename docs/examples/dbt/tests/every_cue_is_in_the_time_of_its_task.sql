{#- A cue begins within the time of the task it is told of, and one that is outside begins within the time of none. -#}
with fitting as (
    select
        told.session_id,
        told.cue_number,
        told.task_number,
        sum(case when tasks.task_number is not null then 1 else 0 end) as fitting,
        sum(case when tasks.task_number = told.task_number then 1 else 0 end) as chosen
    from {{ ref('transcript_by_task') }} as told
    left join {{ ref('stg_usertesting__task_responses') }} as tasks
        on told.session_id = tasks.session_id
        and tasks.started_seconds <= told.start_seconds
        and told.start_seconds * 1000 < tasks.end_ms
    group by told.session_id, told.cue_number, told.task_number
)

select *
from fitting
where (task_number is null and fitting > 0)
    or (task_number is not null and chosen <> 1)
