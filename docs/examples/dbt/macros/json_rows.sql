{#-
    A query with one row per element of an array: `keys` of the relation, the element as JSON, and its place from 1.
    `array` is JSON, made of columns of `parent`, which is the relation. What is no array has no rows.
-#}
{% macro json_elements(relation, keys, array) -%}
    {{ return(adapter.dispatch('json_elements', 'usertesting')(relation, keys, array)) }}
{%- endmacro %}

{% macro postgres__json_elements(relation, keys, array) -%}
    select
        {% for key in keys %}parent.{{ key }}, {% endfor -%}
        item.element,
        item.place
    from {{ relation }} as parent
    cross join lateral jsonb_array_elements(
        case when jsonb_typeof({{ array }}) = 'array' then {{ array }} else '[]'::jsonb end
    ) with ordinality as item (element, place)
{%- endmacro %}

{% macro duckdb__json_elements(relation, keys, array) -%}
    select
        {% for key in keys %}{{ key }}, {% endfor -%}
        unnest(elements) as element,
        generate_subscripts(elements, 1) as place
    from (
        select
            {% for key in keys %}parent.{{ key }}, {% endfor -%}
            case when json_type({{ array }}) = 'ARRAY' then cast({{ array }} as json[]) end as elements
        from {{ relation }} as parent
    )
{%- endmacro %}

{% macro snowflake__json_elements(relation, keys, array) -%}
    select
        {% for key in keys %}parent.{{ key }}, {% endfor -%}
        item.value as element,
        item.index + 1 as place
    from {{ relation }} as parent,
        lateral flatten(input => case when is_array({{ array }}) then {{ array }} end, mode => 'ARRAY') as item
{%- endmacro %}

{% macro bigquery__json_elements(relation, keys, array) -%}
    select
        {% for key in keys %}parent.{{ key }}, {% endfor -%}
        element,
        place + 1 as place
    from {{ relation }} as parent
    cross join unnest(json_query_array({{ array }})) as element with offset as place
{%- endmacro %}


{#-
    A query with one row per key of an object: `keys` of the relation, the element as JSON, and its `name`. The same
    about `object` as above. The order of the keys is not kept by every warehouse.
-#}
{% macro json_entries(relation, keys, object) -%}
    {{ return(adapter.dispatch('json_entries', 'usertesting')(relation, keys, object)) }}
{%- endmacro %}

{% macro postgres__json_entries(relation, keys, object) -%}
    select
        {% for key in keys %}parent.{{ key }}, {% endfor -%}
        item.element,
        item.name
    from {{ relation }} as parent
    cross join lateral jsonb_each(
        case when jsonb_typeof({{ object }}) = 'object' then {{ object }} else '{}'::jsonb end
    ) as item (name, element)
{%- endmacro %}

{% macro duckdb__json_entries(relation, keys, object) -%}
    select
        {% for key in keys %}{{ key }}, {% endfor -%}
        item.value as element,
        item.key as name
    from (
        select
            {% for key in keys %}parent.{{ key }}, {% endfor -%}
            unnest(map_entries(
                case when json_type({{ object }}) = 'OBJECT' then cast({{ object }} as map(varchar, json)) end
            )) as item
        from {{ relation }} as parent
    )
{%- endmacro %}

{% macro snowflake__json_entries(relation, keys, object) -%}
    select
        {% for key in keys %}parent.{{ key }}, {% endfor -%}
        item.value as element,
        item.key as name
    from {{ relation }} as parent,
        lateral flatten(input => case when is_object({{ object }}) then {{ object }} end, mode => 'OBJECT') as item
{%- endmacro %}

{#- json_keys puts names with other characters than letters and digits in double quotes. -#}
{% macro bigquery__json_entries(relation, keys, object) -%}
    select
        {% for key in keys %}parent.{{ key }}, {% endfor -%}
        {{ object }}[trim(quoted, '"')] as element,
        trim(quoted, '"') as name
    from {{ relation }} as parent
    cross join unnest(json_keys({{ object }}, 1)) as quoted
{%- endmacro %}
