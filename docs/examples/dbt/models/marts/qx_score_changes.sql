-- The vendor keeps no past of a test's QXscore: this begins with the first `dbt snapshot` (or `dbt build`).
select
    history.test_id,
    history.task_group_id,
    tests.test_title,
    history.label,
    history.qx_score,
    history.behavioral,
    history.attitudinal,
    history.usability,
    history.trust,
    history.appearance,
    history.loyalty,
    history.completes,
    history.dbt_valid_from as valid_from,
    history.dbt_valid_to as valid_to,
    history.dbt_valid_to is null as is_current
from {{ ref('qx_scores_history') }} as history
left join {{ ref('stg_usertesting__tests') }} as tests
    on history.test_id = tests.test_id
