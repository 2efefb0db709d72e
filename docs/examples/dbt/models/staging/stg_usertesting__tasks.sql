-- A session's details have the v3 shape, `tasks`, or the v2 shape, `session_task_results`, which has no times.
with tasks_v3 as (
    {{ usertesting.json_elements(
        source('usertesting', 'session_details'), ['session_id', 'test_id', 'deleted_at'], 'tasks'
    ) | indent(4) }}
),

tasks_v2 as (
    {{ usertesting.json_elements(
        source('usertesting', 'session_details'), ['session_id', 'test_id', 'deleted_at'], 'session_task_results'
    ) | indent(4) }}
),

both_shapes as (
    select
        session_id,
        test_id,
        place as task_number,
        {{ usertesting.json_text('element', ['uuid']) }} as task_id,
        {{ usertesting.json_text('element', ['text']) }} as task_text,
        {{ usertesting.json_text('element', ['type']) }} as task_type,
        {{ usertesting.json_is_there('element', ['response']) }} as has_response,
        coalesce({{ usertesting.json_boolean('element', ['response', 'skipped']) }}, false) as is_skipped,
        {{ usertesting.json_boolean('element', ['response', 'answer'] + var('task_success_path')) }} as succeeded,
        {{ usertesting.json_number('element', ['response', 'start_time_ms']) }} as started_ms,
        {{ usertesting.json_number('element', ['response', 'end_time_ms']) }} as ended_ms
    from tasks_v3
    where deleted_at is null

    union all

    select
        session_id,
        test_id,
        place as task_number,
        {{ usertesting.json_text('element', ['task_id']) }} as task_id,
        cast(null as {{ dbt.type_string() }}) as task_text,
        replace({{ usertesting.json_text('element', ['task_type']) }}, 'TASK_TYPE_', '') as task_type,
        {{ usertesting.json_is_there('element', ['task_response']) }} as has_response,
        coalesce({{ usertesting.json_text('element', ['task_type']) }} = 'TASK_TYPE_SKIPPED', false) as is_skipped,
        cast(null as {{ dbt.type_boolean() }}) as succeeded,
        null as started_ms,
        null as ended_ms
    from tasks_v2
    where deleted_at is null
)

select
    session_id,
    test_id,
    task_number,
    task_id,
    task_text,
    task_type,
    case when is_skipped then 'skipped' when has_response then 'answered' else 'none' end as outcome,
    succeeded,
    started_ms / 1000 as started_seconds,
    case when not is_skipped then (ended_ms - started_ms) / 1000 end as seconds_on_task
from both_shapes
