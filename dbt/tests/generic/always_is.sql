{# Fails on each row whose column is not `value` (a SQL literal); unlike accepted_values it counts rows. #}
{% test always_is(model, column_name, value) %}
select *
from {{ model }}
where {{ column_name }} is distinct from {{ value }}
{% endtest %}
