{{ config(severity='warn') }}
{#- A code that is missing in the variable `demographics` has answers that participant_demographics does not show. -#}
select
    question_code,
    count(*) as answers
from {{ ref('stg_usertesting__demographics') }}
where answer is not null
    and question_code not in ('{{ var("demographics") | join("', '") }}')
group by question_code
