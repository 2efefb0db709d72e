{#- dbt show --select find_in_transcripts --vars '{usertesting_words: "delivery address"}' -#}
select
    test_title,
    session_id,
    start_seconds,
    speaker,
    text
from {{ ref('transcript_search') }}
where {{ usertesting.cue_holds(var('usertesting_words')) }}
order by test_title, session_id, cue_number
