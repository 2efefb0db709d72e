-- A session's details have the v3 shape, `tasks`, or the v2 shape, `session_task_results`, which has no times.
{% if var('usertesting_has_task_responses') -%}
with responses as (
    select
        session_id,
        test_id,
        task_number,
        details_version,
        task_id,
        task_text,
        task_type as vendors_type,
        skipped,
        start_time_ms as start_ms,
        end_time_ms as end_ms,
        {{ usertesting.json_get(usertesting.as_json('answer'), []) }} as answer,
        skipped is not null or start_time_ms is not null as responded
    from {{ usertesting.table('task_responses') }}
    where deleted_at is null
)
{%- else -%}
with tasks_v3 as (
    {{ usertesting.json_elements(
        usertesting.table('session_details'), ['session_id', 'test_id', 'deleted_at', 'details_version'],
        usertesting.as_json('parent.tasks')
    ) | indent(4) }}
),

tasks_v2 as (
    {{ usertesting.json_elements(
        usertesting.table('session_details'), ['session_id', 'test_id', 'deleted_at', 'details_version'],
        usertesting.as_json('parent.session_task_results')
    ) | indent(4) }}
),

responses as (
    select
        session_id,
        test_id,
        place as task_number,
        details_version,
        {{ usertesting.json_text('element', ['uuid']) }} as task_id,
        {{ usertesting.json_text('element', ['text']) }} as task_text,
        {{ usertesting.json_text('element', ['type']) }} as vendors_type,
        {{ usertesting.json_boolean('element', ['response', 'skipped']) }} as skipped,
        {{ usertesting.json_number('element', ['response', 'start_time_ms']) }} as start_ms,
        {{ usertesting.json_number('element', ['response', 'end_time_ms']) }} as end_ms,
        {{ usertesting.json_get('element', ['response', 'answer']) }} as answer,
        {{ usertesting.json_is_there('element', ['response']) }} as responded
    from tasks_v3
    where deleted_at is null

    union all

    select
        session_id,
        test_id,
        place as task_number,
        details_version,
        {{ usertesting.json_text('element', ['task_id']) }} as task_id,
        cast(null as {{ dbt.type_string() }}) as task_text,
        {{ usertesting.json_text('element', ['task_type']) }} as vendors_type,
        cast(null as {{ dbt.type_boolean() }}) as skipped,
        null as start_ms,
        null as end_ms,
        {{ usertesting.json_get('element', ['task_response']) }} as answer,
        false as responded
    from tasks_v2
    where deleted_at is null
)
{%- endif %},

told as (
    select
        *,
        replace(vendors_type, 'TASK_TYPE_', '') as task_type,
        coalesce(skipped, vendors_type = 'TASK_TYPE_SKIPPED', false) as is_skipped
    from responses
)

select
    session_id,
    test_id,
    task_number,
    details_version,
    task_id,
    task_text,
    task_type,
    case
        when is_skipped then 'skipped'
        when responded or answer is not null then 'answered'
        else 'none'
    end as outcome,
    {{ usertesting.json_boolean('answer', var('usertesting_task_success_path')) }} as succeeded,
    start_ms,
    end_ms,
    start_ms / 1000.0 as started_seconds,
    case when not is_skipped then (end_ms - start_ms) / 1000.0 end as seconds_on_task,
    answer
from told
