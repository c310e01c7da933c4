{# The key of dim_date (yyyymmdd) of a date or timestamp; null when that is missing or has no such key. #}
{% macro date_key(column) -%}
    try_cast(cast(year({{ column }}) as bigint) * 10000 + month({{ column }}) * 100 + day({{ column }}) as integer)
{%- endmacro %}
