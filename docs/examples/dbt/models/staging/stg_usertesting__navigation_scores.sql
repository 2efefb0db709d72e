with scores as (
    {{ usertesting.json_elements(
        usertesting.table('qx_scores'), ['test_id', 'task_group_id', 'completes', 'fetched_at'],
        usertesting.as_json('parent.values_behavioral')
    ) | indent(4) }}
)

select
    test_id,
    task_group_id,
    place as navigation_task_number,
    {{ usertesting.json_number('element', []) }} as score,
    completes,
    fetched_at
from scores
