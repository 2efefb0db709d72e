{#- The table of a stream: as the loader wrote it, or the seed of invented data. -#}
{% macro table(stream) -%}
    {%- if var('usertesting_use_seeds') -%}
        {{ return(ref('usertesting', 'seed_usertesting__' ~ stream)) }}
    {%- else -%}
        {{ return(source('usertesting', stream)) }}
    {%- endif -%}
{%- endmacro %}
