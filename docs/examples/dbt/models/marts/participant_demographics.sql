select
    sessions.session_id,
    sessions.test_id,
    sessions.ended_at,
    participants.participant_id
    {%- for code in var('demographics') %},
    max(case when demographics.question_code = '{{ code }}' then demographics.answer end) as {{ code | lower }}
    {%- endfor %}
from {{ ref('stg_usertesting__sessions') }} as sessions
inner join {{ ref('stg_usertesting__participants') }} as participants
    on sessions.session_id = participants.session_id
left join {{ ref('stg_usertesting__demographics') }} as demographics
    on sessions.session_id = demographics.session_id
group by sessions.session_id, sessions.test_id, sessions.ended_at, participants.participant_id
