-- Of the sessions that the change feed knows, rejected ones included: how many came to each kind of change.
with known as (
    select
        test_id,
        count(distinct session_id) as sessions
    from {{ ref('stg_usertesting__result_changes') }}
    where session_id is not null
    group by test_id
),

steps as (
    select
        test_id,
        change_type,
        count(distinct session_id) as sessions,
        count(*) as changes,
        min(changed_at) as first_changed_at,
        max(changed_at) as last_changed_at
    from {{ ref('stg_usertesting__result_changes') }}
    where session_id is not null
    group by test_id, change_type
)

select
    steps.test_id,
    tests.test_title,
    tests.product_type,
    case steps.change_type
        when 'UPDATED' then 1
        when 'VIDEO_UPDATED' then 2
        when 'VIDEO_TRANSCRIPTION_UPDATED' then 3
        when 'REJECTED' then 4
        when 'DELETED' then 5
        else 6
    end as step,
    steps.change_type,
    steps.sessions,
    steps.sessions * 1.0 / known.sessions as share,
    steps.changes,
    steps.first_changed_at,
    steps.last_changed_at
from steps
inner join known
    on steps.test_id = known.test_id
left join {{ ref('stg_usertesting__tests') }} as tests
    on steps.test_id = tests.test_id
