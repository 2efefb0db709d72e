{#- An aggregate: the value below which a fraction of the values lie. BigQuery's is approximate. -#}
{% macro percentile(column, fraction) -%}
    {{ return(adapter.dispatch('percentile', 'usertesting')(column, fraction)) }}
{%- endmacro %}

{% macro default__percentile(column, fraction) -%}
    percentile_cont({{ fraction }}) within group (order by {{ column }})
{%- endmacro %}

{% macro bigquery__percentile(column, fraction) -%}
    approx_quantiles({{ column }}, 100)[offset({{ (fraction * 100) | int }})]
{%- endmacro %}


{#- The first day of the day, week (from Monday) or month of a time, a date. -#}
{% macro period_start(column, period) -%}
    {{ return(adapter.dispatch('period_start', 'usertesting')(column, period)) }}
{%- endmacro %}

{% macro default__period_start(column, period) -%}
    cast(date_trunc('{{ period }}', {{ column }}) as date)
{%- endmacro %}

{#- Snowflake's week begins on the day that the session's WEEK_START names. -#}
{% macro snowflake__period_start(column, period) -%}
    {%- if period == 'week' -%}
        dateadd(day, 1 - dayofweekiso({{ column }}), to_date({{ column }}))
    {%- else -%}
        cast(date_trunc('{{ period }}', {{ column }}) as date)
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__period_start(column, period) -%}
    date(timestamp_trunc(cast({{ column }} as timestamp), {{ 'isoweek' if period == 'week' else period }}))
{%- endmacro %}


{#- Seconds from one time to a later one. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between', 'usertesting')(earlier, later)) }}
{%- endmacro %}

{% macro postgres__seconds_between(earlier, later) -%}
    extract(epoch from {{ later }} - {{ earlier }})
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    date_diff('microsecond', {{ earlier }}, {{ later }}) / 1000000
{%- endmacro %}

{% macro snowflake__seconds_between(earlier, later) -%}
    timestampdiff(millisecond, {{ earlier }}, {{ later }}) / 1000
{%- endmacro %}

{% macro bigquery__seconds_between(earlier, later) -%}
    timestamp_diff(cast({{ later }} as timestamp), cast({{ earlier }} as timestamp), millisecond) / 1000
{%- endmacro %}


{#- A number that stands in a text; null where the text is anything else. -#}
{% macro number_in(text) -%}
    {{ return(adapter.dispatch('number_in', 'usertesting')(text)) }}
{%- endmacro %}

{% macro postgres__number_in(text) -%}
    case when {{ text }} ~ '^-?[0-9]+([.][0-9]+)?$' then cast({{ text }} as numeric) end
{%- endmacro %}

{% macro duckdb__number_in(text) -%}
    case when regexp_full_match({{ text }}, '-?[0-9]+([.][0-9]+)?') then try_cast({{ text }} as double) end
{%- endmacro %}

{% macro snowflake__number_in(text) -%}
    case when regexp_like({{ text }}, '-?[0-9]+([.][0-9]+)?') then try_to_double({{ text }}) end
{%- endmacro %}

{% macro bigquery__number_in(text) -%}
    case when regexp_contains({{ text }}, r'^-?[0-9]+([.][0-9]+)?$') then safe_cast({{ text }} as float64) end
{%- endmacro %}


{#- Text to order by, the same on every warehouse: PostgreSQL orders by the language of the database otherwise. -#}
{% macro by_code(text) -%}
    {{ return(adapter.dispatch('by_code', 'usertesting')(text)) }}
{%- endmacro %}

{% macro default__by_code(text) -%}
    {{ text }}
{%- endmacro %}

{% macro postgres__by_code(text) -%}
    {{ text }} collate "C"
{%- endmacro %}
