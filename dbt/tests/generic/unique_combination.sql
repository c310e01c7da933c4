{# Fails on each combination of `columns` that stands on more than one row. #}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as number_of_rows
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
