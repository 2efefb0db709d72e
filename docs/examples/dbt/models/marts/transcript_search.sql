{{ config(indexes=[{'columns': ['search_vector'], 'type': 'gin'}] if target.type == 'postgres' else []) }}

select
    cues.session_id,
    cues.cue_number,
    cues.test_id,
    tests.test_title,
    sessions.ended_at,
    cues.start_seconds,
    cues.end_seconds,
    cues.speaker,
    cues.text,
    lower(cues.text) as text_lower
    {{ usertesting.search_vector('cues.text') }}
from {{ ref('stg_usertesting__transcript_cues') }} as cues
inner join {{ ref('stg_usertesting__sessions') }} as sessions
    on cues.session_id = sessions.session_id
left join {{ ref('stg_usertesting__tests') }} as tests
    on cues.test_id = tests.test_id
