with cues as (
    {{ usertesting.json_elements(
        source('usertesting', 'transcripts'), ['session_id', 'test_id', 'deleted_at'], 'cues'
    ) | indent(4) }}
)

select
    session_id,
    test_id,
    place as cue_number,
    {{ usertesting.json_number('element', ['start_ms']) }} / 1000 as start_seconds,
    {{ usertesting.json_number('element', ['end_ms']) }} / 1000 as end_seconds,
    {{ usertesting.json_text('element', ['speaker']) }} as speaker,
    {{ usertesting.json_text('element', ['text']) }} as text
from cues
where deleted_at is null
