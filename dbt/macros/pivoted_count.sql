{# A count that `pivot` made: 0 where there is no row of that kind. #}
{% macro pivoted_count(column) -%}
    {{ adapter.dispatch('pivoted_count')(column) }}
{%- endmacro %}

{% macro default__pivoted_count(column) -%}
    {{ column }}
{%- endmacro %}

{# Spark's own is null then. #}
{% macro spark__pivoted_count(column) -%}
    coalesce({{ column }}, 0)
{%- endmacro %}
