{% if var('usertesting_has_participant_demographics') -%}
select
    session_id,
    test_id,
    demographic_number,
    participant_id,
    code as question_code,
    label as question,
    question_type,
    value as answer
from {{ usertesting.table('participant_demographics') }}
where deleted_at is null
{%- else -%}
with answers as (
    {{ usertesting.json_elements(
        usertesting.table('session_details'),
        ['session_id', 'test_id', 'deleted_at', 'session_participant'],
        usertesting.json_get(usertesting.as_json('parent.session_participant'), ['demographics_info'])
    ) | indent(4) }}
)

select
    session_id,
    test_id,
    place as demographic_number,
    {{ usertesting.json_text(usertesting.as_json('session_participant'), ['participant_id']) }} as participant_id,
    {{ usertesting.json_text('element', ['code']) }} as question_code,
    {{ usertesting.json_text('element', ['label']) }} as question,
    {{ usertesting.json_text('element', ['type']) }} as question_type,
    {{ usertesting.json_text('element', ['value']) }} as answer
from answers
where deleted_at is null
{%- endif %}
