{#
    JSON in three warehouses. What the loaders make of the tap's nested columns:

    PostgreSQL  an array of objects is jsonb[], an object jsonb; null may be JSON's null instead of SQL's
    Snowflake   both are VARIANT
    BigQuery    an array of objects is REPEATED RECORD, an object RECORD, a free-form object JSON

    `path` is a list of keys. A value that is missing or of another type is null, never an error.
#}

{#- A query with one row per element of an array: `keys`, the element as JSON, and its place from 1. -#}
{% macro json_elements(relation, keys, column, path=[]) -%}
    {{ return(adapter.dispatch('json_elements', 'usertesting')(relation, keys, column, path)) }}
{%- endmacro %}

{% macro postgres__json_elements(relation, keys, column, path) -%}
    select
        {% for key in keys %}rows_of_it.{{ key }}, {% endfor -%}
        item.element,
        item.place
    from {{ relation }} as rows_of_it
    {#- to_jsonb: the same for jsonb[], which this loader makes, and for jsonb, which others do. #}
    {%- set array = "to_jsonb(rows_of_it." ~ column ~ ") #> '{" ~ path | join(",") ~ "}'" %}
    cross join lateral jsonb_array_elements(
        case when jsonb_typeof({{ array }}) = 'array' then {{ array }} else '[]'::jsonb end
    ) with ordinality as item (element, place)
{%- endmacro %}

{% macro snowflake__json_elements(relation, keys, column, path) -%}
    {%- set array = "rows_of_it." ~ column -%}
    {%- if path -%}{%- set array = "get_path(" ~ array ~ ", '" ~ path | join(".") ~ "')" -%}{%- endif -%}
    select
        {% for key in keys %}rows_of_it.{{ key }}, {% endfor -%}
        item.value as element,
        item.index + 1 as place
    from {{ relation }} as rows_of_it,
        lateral flatten(input => {{ array }}, mode => 'ARRAY') as item
{%- endmacro %}

{% macro bigquery__json_elements(relation, keys, column, path) -%}
    select
        {% for key in keys %}rows_of_it.{{ key }}, {% endfor -%}
        element,
        place + 1 as place
    from {{ relation }} as rows_of_it
    cross join unnest(
        json_query_array(to_json(rows_of_it.{{ column }}), '{{ (["$"] + path) | join(".") }}')
    ) as element with offset as place
{%- endmacro %}


{#- A column that holds an object, as the macros below take it. -#}
{% macro as_json(column) -%}
    {{ return(adapter.dispatch('as_json', 'usertesting')(column)) }}
{%- endmacro %}

{% macro default__as_json(column) -%}
    {{ column }}
{%- endmacro %}

{% macro bigquery__as_json(column) -%}
    to_json({{ column }})
{%- endmacro %}


{#- Text at a path; numbers and booleans as JSON writes them. -#}
{% macro json_text(json, path) -%}
    {{ return(adapter.dispatch('json_text', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_text(json, path) -%}
    ({{ json }} #>> '{{ "{" ~ path | join(",") ~ "}" }}')
{%- endmacro %}

{% macro snowflake__json_text(json, path) -%}
    get_path({{ json }}, '{{ path | join(".") }}')::varchar
{%- endmacro %}

{% macro bigquery__json_text(json, path) -%}
    json_value({{ json }}, '{{ (["$"] + path) | join(".") }}')
{%- endmacro %}


{#- A number at a path. -#}
{% macro json_number(json, path) -%}
    {{ return(adapter.dispatch('json_number', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_number(json, path) -%}
    {%- set at = "{" ~ path | join(",") ~ "}" -%}
    case when jsonb_typeof({{ json }} #> '{{ at }}') = 'number' then ({{ json }} #>> '{{ at }}')::numeric end
{%- endmacro %}

{% macro snowflake__json_number(json, path) -%}
    try_to_double({{ usertesting.json_text(json, path) }})
{%- endmacro %}

{% macro bigquery__json_number(json, path) -%}
    safe_cast({{ usertesting.json_text(json, path) }} as float64)
{%- endmacro %}


{#- A boolean at a path. -#}
{% macro json_boolean(json, path) -%}
    {{ return(adapter.dispatch('json_boolean', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro default__json_boolean(json, path) -%}
    case {{ usertesting.json_text(json, path) }} when 'true' then true when 'false' then false end
{%- endmacro %}


{#- Whether there is something at a path: neither nothing nor null. -#}
{% macro json_is_there(json, path) -%}
    {{ return(adapter.dispatch('json_is_there', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_is_there(json, path) -%}
    coalesce(jsonb_typeof({{ json }} #> '{{ "{" ~ path | join(",") ~ "}" }}'), 'null') <> 'null'
{%- endmacro %}

{% macro snowflake__json_is_there(json, path) -%}
    {{ usertesting.json_text(json, path) }} is not null
{%- endmacro %}

{% macro bigquery__json_is_there(json, path) -%}
    coalesce(json_type(json_query({{ json }}, '{{ (["$"] + path) | join(".") }}')), 'null') <> 'null'
{%- endmacro %}
