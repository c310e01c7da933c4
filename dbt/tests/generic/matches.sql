{# Fails on each row whose text is not wholly of `pattern` (a SQL literal of a regular expression). #}
{% test matches(model, column_name, pattern) %}
select *
from {{ model }}
where not {{ is_wholly(column_name, pattern) }}
{% endtest %}
