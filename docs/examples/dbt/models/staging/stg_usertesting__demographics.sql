with answers as (
    {{ usertesting.json_elements(
        source('usertesting', 'session_details'), ['session_id', 'test_id', 'deleted_at'],
        'session_participant', ['demographics_info']
    ) | indent(4) }}
)

select
    session_id,
    test_id,
    place as question_number,
    {{ usertesting.json_text('element', ['code']) }} as question_code,
    {{ usertesting.json_text('element', ['label']) }} as question,
    {{ usertesting.json_text('element', ['type']) }} as question_type,
    {{ usertesting.json_text('element', ['value']) }} as answer
from answers
where deleted_at is null
