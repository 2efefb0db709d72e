{#- answers has at least a row of each task that was answered, and each is numbered from 1 without gaps. -#}
with told as (
    select
        session_id,
        task_number,
        count(*) as answers,
        min(answer_number) as first_number,
        max(answer_number) as last_number
    from {{ ref('answers') }}
    group by session_id, task_number
)

select
    tasks.session_id,
    tasks.task_number,
    told.answers
from {{ ref('stg_usertesting__task_responses') }} as tasks
inner join {{ ref('stg_usertesting__sessions') }} as sessions
    on tasks.session_id = sessions.session_id
left join told
    on tasks.session_id = told.session_id and tasks.task_number = told.task_number
where tasks.answer is not null
    and (told.answers is null or told.first_number <> 1 or told.last_number <> told.answers)
