{# What the project calls of dbt_utils, written anew: packages cannot be downloaded where this is tested. #}
{% macro generate_surrogate_key(field_list) -%}
    md5(concat_ws('-', {% for field in field_list %}coalesce(cast({{ field }} as varchar), '_null_'){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}

{% macro safe_divide(numerator, denominator) -%}
    ({{ numerator }}) / nullif(({{ denominator }}), 0)
{%- endmacro %}

{% macro date_spine(datepart, start_date, end_date) -%}
    select cast(unnest(generate_series(cast({{ start_date }} as timestamp), cast({{ end_date }} as timestamp), interval 1 {{ datepart }})) as date)
        as date_{{ datepart }}
{%- endmacro %}

{% macro star(from, except=[]) -%}
    {%- set columns = adapter.get_columns_in_relation(from) | map(attribute='name') | reject('in', except) | list -%}
    {%- for column in columns %}{{ column }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{% test unique_combination_of_columns(model, combination_of_columns) %}
select {{ combination_of_columns | join(', ') }} from {{ model }} group by all having count(*) > 1
{% endtest %}
