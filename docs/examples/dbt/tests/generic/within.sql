{#- A number is between two bounds, both included, or null. -#}
{% test within(model, column_name, least, most=none) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ least }}{% if most is not none %} or {{ column_name }} > {{ most }}{% endif %}
{% endtest %}
