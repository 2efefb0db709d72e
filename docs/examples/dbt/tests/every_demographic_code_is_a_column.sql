{{ config(severity='warn') }}
{#- A code that is missing in the variable `usertesting_demographics` has answers that participants does not show. -#}
select
    question_code,
    count(*) as answers
from {{ ref('stg_usertesting__participant_demographics') }}
where answer is not null
    and question_code not in ('{{ var("usertesting_demographics") | join("', '") }}')
group by question_code
