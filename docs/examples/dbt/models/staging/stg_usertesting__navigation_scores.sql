with scores as (
    {{ usertesting.json_elements(
        source('usertesting', 'qx_scores'), ['test_id', 'task_group_id', 'completes', 'fetched_at'], 'values_behavioral'
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
