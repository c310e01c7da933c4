{#
  The columns that the contract of the model declares, in its order: for a model that hands on what validation
  computed. `renamed` has those that the source calls otherwise, by their name here. dbt knows no columns while it
  parses, nor does who reads this file without dbt: then it is all columns.
#}
{% macro declared_columns(renamed={}) -%}
    {%- for name in model.columns -%}
        {{ renamed[name] ~ ' as ' if name in renamed }}{{ name }}{{ ', ' if not loop.last }}
    {%- else -%}
        *
    {%- endfor -%}
{%- endmacro %}
