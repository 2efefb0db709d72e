select
    sessions.session_id,
    sessions.test_id,
    sessions.ended_at,
    details.participant_id
    {%- for code in var('usertesting_demographics') %},
    max(case when demographics.question_code = '{{ code }}' then demographics.answer end) as {{ code | lower }}
    {%- endfor %}
from {{ ref('stg_usertesting__sessions') }} as sessions
inner join {{ ref('stg_usertesting__session_details') }} as details
    on sessions.session_id = details.session_id
left join {{ ref('stg_usertesting__participant_demographics') }} as demographics
    on sessions.session_id = demographics.session_id
group by sessions.session_id, sessions.test_id, sessions.ended_at, details.participant_id
