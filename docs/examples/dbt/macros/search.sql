{#- PostgreSQL finds words in long tables by an index over this column; other warehouses have no use for it. -#}
{% macro search_vector(column) -%}
    {{ return(adapter.dispatch('search_vector', 'usertesting')(column)) }}
{%- endmacro %}

{% macro default__search_vector(column) -%}
{%- endmacro %}

{% macro postgres__search_vector(column) -%}
    , to_tsvector('{{ var("usertesting_text_search_language") }}', coalesce({{ column }}, '')) as search_vector
{%- endmacro %}


{#- A condition on transcript_search: the cue holds all the words (PostgreSQL), or the text as it stands (others). -#}
{% macro cue_holds(words) -%}
    {{ return(adapter.dispatch('cue_holds', 'usertesting')(words)) }}
{%- endmacro %}

{% macro default__cue_holds(words) -%}
    text_lower like '%{{ dbt.escape_single_quotes(words | lower) }}%'
{%- endmacro %}

{% macro postgres__cue_holds(words) -%}
    search_vector @@ plainto_tsquery('{{ var("usertesting_text_search_language") }}', '{{ dbt.escape_single_quotes(words) }}')
{%- endmacro %}
