-- Success of the navigation tasks as the vendor scores it over all participants, 0 to 100.
select
    scores.test_id,
    scores.task_group_id,
    scores.navigation_task_number,
    tests.test_title,
    qx_scores.label,
    scores.score,
    scores.completes,
    scores.fetched_at
from {{ ref('stg_usertesting__navigation_scores') }} as scores
inner join {{ ref('stg_usertesting__qx_scores') }} as qx_scores
    on scores.test_id = qx_scores.test_id and scores.task_group_id = qx_scores.task_group_id
left join {{ ref('stg_usertesting__tests') }} as tests
    on scores.test_id = tests.test_id
