{# Fails on each row whose number lies outside `least` to `greatest`, bounds included; a missing one passes. #}
{% test within(model, column_name, least, greatest) %}
select *
from {{ model }}
where {{ column_name }} < {{ least }} or {{ column_name }} > {{ greatest }}
{% endtest %}
