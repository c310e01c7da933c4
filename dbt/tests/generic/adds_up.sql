{# Fails on each row of the model whose total is not the exact sum of its parts, found by `key` in `parts`. #}
{% test adds_up(model, column_name, parts, part, key) %}
with sums as (
    select {{ key }}, sum({{ part }}) as sum_of_parts
    from {{ parts }}
    group by {{ key }}
)

select totals.{{ key }}, totals.{{ column_name }}, sums.sum_of_parts
from {{ model }} as totals
left join sums on sums.{{ key }} = totals.{{ key }}
where totals.{{ column_name }} is distinct from coalesce(sums.sum_of_parts, 0)
{% endtest %}
