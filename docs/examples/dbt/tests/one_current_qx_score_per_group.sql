{#- The history of a group is one chain: exactly one of its rows is current. -#}
select
    test_id,
    task_group_id
from {{ ref('qx_score_changes') }}
group by test_id, task_group_id
having sum(case when is_current then 1 else 0 end) <> 1
