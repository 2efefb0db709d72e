{{ config(severity='warn') }}
{#- A transcript whose WebVTT the tap cannot read without losing words has no cues, only its `vtt`. -#}
select
    transcripts.session_id,
    transcripts.test_id
from {{ ref('stg_usertesting__transcripts') }} as transcripts
left join {{ ref('stg_usertesting__transcript_cues') }} as cues
    on transcripts.session_id = cues.session_id
where cues.session_id is null
    and transcripts.vtt like '%-->%'
