{% macro key(columns) -%}
    md5(concat_ws('|', {{ columns | join(', ') }}))
{%- endmacro %}

{% macro loaded() -%}
    current_timestamp as dbt_loaded_at
{%- endmacro %}
