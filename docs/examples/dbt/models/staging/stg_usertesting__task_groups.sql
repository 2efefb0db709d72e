with task_groups as (
    {{ usertesting.json_elements(
        usertesting.table('session_details'), ['session_id', 'test_id', 'deleted_at'],
        usertesting.as_json('parent.task_groups')
    ) | indent(4) }}
)

select
    session_id,
    test_id,
    {{ usertesting.json_text('element', ['uuid']) }} as task_group_id,
    {{ usertesting.json_text('element', ['type']) }} as task_group_type,
    {{ usertesting.json_number('element', ['response', 'score']) }} as score,
    {{ usertesting.json_text('element', ['response', 'sequence']) }} as sequence
from task_groups
where deleted_at is null
