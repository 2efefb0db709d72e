{#- Of each session transcript_by_task has as many cues and as many characters as the transcript: none lost, none twice. -#}
with said as (
    select
        cues.session_id,
        count(*) as cues,
        sum(length(cues.text)) as characters
    from {{ ref('stg_usertesting__transcript_cues') }} as cues
    inner join {{ ref('stg_usertesting__sessions') }} as sessions
        on cues.session_id = sessions.session_id
    group by cues.session_id
),

told as (
    select
        session_id,
        count(*) as cues,
        sum(length(text)) as characters
    from {{ ref('transcript_by_task') }}
    group by session_id
)

select
    coalesce(said.session_id, told.session_id) as session_id,
    said.cues as cues_said,
    told.cues as cues_told,
    said.characters as characters_said,
    told.characters as characters_told
from said
full outer join told
    on said.session_id = told.session_id
where said.session_id is null
    or told.session_id is null
    or said.cues <> told.cues
    or said.characters <> told.characters
