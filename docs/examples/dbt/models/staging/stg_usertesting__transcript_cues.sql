{% if var('usertesting_has_transcript_cues') -%}
select
    session_id,
    test_id,
    cue_number,
    start_ms,
    end_ms,
    start_ms / 1000.0 as start_seconds,
    end_ms / 1000.0 as end_seconds,
    speaker,
    text
from {{ usertesting.table('transcript_cues') }}
where deleted_at is null
{%- else -%}
with cues as (
    {{ usertesting.json_elements(
        usertesting.table('transcripts'), ['session_id', 'test_id', 'deleted_at'], usertesting.as_json('parent.cues')
    ) | indent(4) }}
)

select
    session_id,
    test_id,
    place as cue_number,
    {{ usertesting.json_number('element', ['start_ms']) }} as start_ms,
    {{ usertesting.json_number('element', ['end_ms']) }} as end_ms,
    {{ usertesting.json_number('element', ['start_ms']) }} / 1000 as start_seconds,
    {{ usertesting.json_number('element', ['end_ms']) }} / 1000 as end_seconds,
    {{ usertesting.json_text('element', ['speaker']) }} as speaker,
    {{ usertesting.json_text('element', ['text']) }} as text
from cues
where deleted_at is null
{%- endif %}
