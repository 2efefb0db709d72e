{#
    JSON in four warehouses. What the loaders make of the tap's nested columns:

    PostgreSQL  an array of objects is jsonb[], an object jsonb; null may be JSON's null instead of SQL's
    DuckDB      both are JSON
    Snowflake   both are VARIANT
    BigQuery    an array of objects is REPEATED RECORD, an object RECORD, a free-form object JSON

    In the seeds both are text. `as_json` makes the warehouse's own JSON of all of these; the other macros take that.
    `path` is a list of keys. A value that is missing or of another type is null, never an error.
#}

{#- A nested column of a loaded table, as the macros below take it. -#}
{% macro as_json(column) -%}
    {{ return(adapter.dispatch('as_json', 'usertesting')(column)) }}
{%- endmacro %}

{% macro postgres__as_json(column) -%}
    {%- if var('usertesting_use_seeds') -%}cast({{ column }} as jsonb){%- else -%}to_jsonb({{ column }}){%- endif -%}
{%- endmacro %}

{% macro duckdb__as_json(column) -%}
    cast({{ column }} as json)
{%- endmacro %}

{% macro snowflake__as_json(column) -%}
    {%- if var('usertesting_use_seeds') -%}parse_json({{ column }}){%- else -%}{{ column }}{%- endif -%}
{%- endmacro %}

{% macro bigquery__as_json(column) -%}
    {%- if var('usertesting_use_seeds') -%}parse_json({{ column }}){%- else -%}to_json({{ column }}){%- endif -%}
{%- endmacro %}


{#- The JSON at a path; SQL's null where JSON's stands. -#}
{% macro json_get(json, path) -%}
    {{ return(adapter.dispatch('json_get', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_get(json, path) -%}
    nullif({{ json }} #> '{{ "{" ~ path | join(",") ~ "}" }}', 'null'::jsonb)
{%- endmacro %}

{% macro duckdb__json_get(json, path) -%}
    case when {{ usertesting.json_is_there(json, path) }} then json_extract({{ json }}, {{ usertesting.json_path(path) }}) end
{%- endmacro %}

{% macro snowflake__json_get(json, path) -%}
    case when {{ usertesting.json_is_there(json, path) }} then {{ usertesting.variant_at(json, path) }} end
{%- endmacro %}

{% macro bigquery__json_get(json, path) -%}
    case when {{ usertesting.json_is_there(json, path) }} then json_query({{ json }}, {{ usertesting.json_path(path) }}) end
{%- endmacro %}


{#- A path as BigQuery and DuckDB write it. -#}
{% macro json_path(path) -%}
    '{{ (["$"] + path) | join(".") }}'
{%- endmacro %}


{#- The VARIANT at a path; get_path takes no empty one. -#}
{% macro variant_at(variant, path) -%}
    {%- if path -%}get_path({{ variant }}, '{{ path | join(".") }}'){%- else -%}{{ variant }}{%- endif -%}
{%- endmacro %}


{#- Text at a path; numbers and booleans as JSON writes them. -#}
{% macro json_text(json, path) -%}
    {{ return(adapter.dispatch('json_text', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_text(json, path) -%}
    case
        when jsonb_typeof({{ json }} #> '{{ "{" ~ path | join(",") ~ "}" }}') not in ('object', 'array')
            then {{ json }} #>> '{{ "{" ~ path | join(",") ~ "}" }}'
    end
{%- endmacro %}

{% macro duckdb__json_text(json, path) -%}
    case
        when json_type({{ json }}, {{ usertesting.json_path(path) }}) not in ('OBJECT', 'ARRAY')
            then json_extract_string({{ json }}, {{ usertesting.json_path(path) }})
    end
{%- endmacro %}

{% macro snowflake__json_text(json, path) -%}
    {%- set at = usertesting.variant_at(json, path) -%}
    case
        when not coalesce(is_object({{ at }}) or is_array({{ at }}) or is_null_value({{ at }}), true)
            then {{ at }}::varchar
    end
{%- endmacro %}

{% macro bigquery__json_text(json, path) -%}
    json_value({{ json }}, {{ usertesting.json_path(path) }})
{%- endmacro %}


{#- A number at a path. -#}
{% macro json_number(json, path) -%}
    {{ return(adapter.dispatch('json_number', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_number(json, path) -%}
    {%- set at = "{" ~ path | join(",") ~ "}" -%}
    case when jsonb_typeof({{ json }} #> '{{ at }}') = 'number' then ({{ json }} #>> '{{ at }}')::numeric end
{%- endmacro %}

{% macro duckdb__json_number(json, path) -%}
    try_cast({{ usertesting.json_text(json, path) }} as double)
{%- endmacro %}

{% macro snowflake__json_number(json, path) -%}
    try_to_double({{ usertesting.json_text(json, path) }})
{%- endmacro %}

{% macro bigquery__json_number(json, path) -%}
    safe_cast({{ usertesting.json_text(json, path) }} as float64)
{%- endmacro %}


{#- A boolean at a path. -#}
{% macro json_boolean(json, path) -%}
    case {{ usertesting.json_text(json, path) }} when 'true' then true when 'false' then false end
{%- endmacro %}


{#- Whether there is something at a path: neither nothing nor null. -#}
{% macro json_is_there(json, path) -%}
    {{ return(adapter.dispatch('json_is_there', 'usertesting')(json, path)) }}
{%- endmacro %}

{% macro postgres__json_is_there(json, path) -%}
    coalesce(jsonb_typeof({{ json }} #> '{{ "{" ~ path | join(",") ~ "}" }}'), 'null') <> 'null'
{%- endmacro %}

{% macro duckdb__json_is_there(json, path) -%}
    coalesce(json_type({{ json }}, {{ usertesting.json_path(path) }}), 'NULL') <> 'NULL'
{%- endmacro %}

{% macro snowflake__json_is_there(json, path) -%}
    not coalesce(is_null_value({{ usertesting.variant_at(json, path) }}), true)
{%- endmacro %}

{% macro bigquery__json_is_there(json, path) -%}
    coalesce(json_type(json_query({{ json }}, {{ usertesting.json_path(path) }})), 'null') <> 'null'
{%- endmacro %}
