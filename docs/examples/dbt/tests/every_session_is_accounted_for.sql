{#- What the source has named, less what sync_status says has no row, are the rows that are there. -#}
with alive as (
{% for stream in ['sessions', 'session_details', 'transcripts'] %}
    select
        '{{ stream }}' as stream,
        test_id
    from {{ ref('stg_usertesting__' ~ stream) }}
{%- if not loop.last %}

    union all

{% endif %}
{%- endfor %}
),

found as (
    select
        stream,
        test_id,
        count(*) as found_rows
    from alive
    group by stream, test_id
)

select
    status.test_id,
    status.stream,
    status.expected_rows,
    coalesce(found.found_rows, 0) as found_rows
from {{ ref('stg_usertesting__sync_status') }} as status
left join found
    on status.test_id = found.test_id and status.stream = found.stream
where status.stream in ('sessions', 'session_details', 'transcripts')
    and coalesce(found.found_rows, 0) <> status.expected_rows
