{#- The vendor names the key that the answer to each kind of task stands under, and nothing inside of it. -#}
{%- set keys = {
    'BLANK': 'blank', 'RATING_SCALE': 'ratingScale', 'MULTIPLE_CHOICE': 'multipleChoice', 'IMAGE': 'image', 'NPS': 'nps',
    'URL': 'url', 'RANK_ORDER': 'rankOrder', 'WRITTEN': 'written', 'FIGMA': 'figma', 'MATRIX': 'matrix',
} -%}
{%- set lists = var('usertesting_answer_lists') -%}
{%- set key = ['session_id', 'task_number', 'task_type'] -%}
with answered as (
    select
        tasks.*,
        tests.test_title,
        sessions.ended_at
    from {{ ref('stg_usertesting__task_responses') }} as tasks
    inner join {{ ref('stg_usertesting__sessions') }} as sessions
        on tasks.session_id = sessions.session_id
    left join {{ ref('stg_usertesting__tests') }} as tests
        on tasks.test_id = tests.test_id
    where tasks.answer is not null
),

contents as (
    select
        session_id,
        task_number,
        task_type,
        answer,
        case task_type
            {%- for type, name in keys.items() %}
            when '{{ type }}'
                then coalesce(
                    {{ usertesting.json_get('answer', [name]) }},
                    {{ usertesting.json_get('answer', [name ~ 'SpecificFields']) }}
                )
            {%- endfor %}
        end as content
    from answered
),

lists as (
    select
        session_id,
        task_number,
        task_type,
        case
            when task_type is null then content
            {%- for type, list in lists.items() %}
            when task_type = '{{ type }}' then {{ usertesting.json_get('content', list['list']) }}
            {%- endfor %}
        end as list
    from contents
),

elements as (
    {{ usertesting.json_elements('lists', key, 'parent.list') | indent(4) }}
),

entries as (
    {{ usertesting.json_entries('lists', key, 'parent.list') | indent(4) }}
),

parts as (
    select
        session_id,
        task_number,
        task_type,
        place,
        cast(null as {{ dbt.type_string() }}) as name,
        element
    from elements

    union all

    select
        session_id,
        task_number,
        task_type,
        null as place,
        name,
        element
    from entries
),

with_parts as (
    select distinct
        session_id,
        task_number
    from parts
),

found as (
    select
        session_id,
        task_number,
        place,
        case
            when name is not null then name
            {%- for type, list in lists.items() if list.get('item') %}
            when task_type = '{{ type }}'
                then coalesce(
                    {{ usertesting.json_text('element', list['item']) }},
                    {{ usertesting.json_text('element', []) }}
                )
            {%- endfor %}
        end as item,
        case
            when element is null then null
            {%- for type, list in lists.items() if list.get('value') %}
            when task_type = '{{ type }}' and {{ usertesting.json_is_there('element', list['value']) }}
                then {{ usertesting.json_text('element', list['value']) }}
            {%- endfor %}
            {%- for type, list in lists.items() if list.get('item') %}
            when task_type = '{{ type }}' and name is null then cast(place as {{ dbt.type_string() }})
            {%- endfor %}
            else {{ usertesting.json_text('element', []) }}
        end as value,
        {{ usertesting.json_get('element', []) }} as raw_value
    from parts

    union all

    -- What is no list, and every list that is not where it is looked for.
    select
        contents.session_id,
        contents.task_number,
        1 as place,
        null as item,
        coalesce(
            {{ usertesting.json_text('contents.content', var('usertesting_answer_value')) }},
            {{ usertesting.json_text('contents.content', []) }}
        ) as value,
        coalesce(contents.content, contents.answer) as raw_value
    from contents
    left join with_parts
        on contents.session_id = with_parts.session_id and contents.task_number = with_parts.task_number
    where with_parts.session_id is null
)

select
    answered.session_id,
    answered.task_number,
    row_number() over (
        partition by answered.session_id, answered.task_number
        order by found.place, {{ usertesting.by_code('found.item') }}
    ) as answer_number,
    answered.test_id,
    answered.test_title,
    answered.ended_at,
    answered.task_id,
    answered.task_type,
    answered.task_text,
    found.item,
    nullif(found.value, '') as value,
    {{ usertesting.number_in('found.value') }} as numeric_value,
    found.raw_value,
    answered.answer as raw_answer
from found
inner join answered
    on found.session_id = answered.session_id and found.task_number = answered.task_number
