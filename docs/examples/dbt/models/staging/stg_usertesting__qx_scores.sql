select
    test_id,
    task_group_id,
    label,
    qx_score,
    components_behavioral as behavioral,
    components_attitudinal as attitudinal,
    values_usability as usability,
    values_trust as trust,
    values_appearance as appearance,
    values_loyalty as loyalty,
    completes,
    fetched_at
from {{ usertesting.table('qx_scores') }}
