{#- session_milestones does, and marks it. -#}
{% set marts = [
    'qx_participant_scores', 'task_results', 'answers', 'transcript_search', 'transcript_by_task', 'participants',
] %}
{% for mart in marts %}
select '{{ mart }}' as mart, held.session_id
from {{ ref(mart) }} as held
inner join {{ ref('stg_usertesting__removed_sessions') }} as removed
    on held.session_id = removed.session_id
{%- if not loop.last %}

union all

{% endif %}
{%- endfor %}
