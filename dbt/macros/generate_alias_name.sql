{#
  The relation of a model: its name without the prefix `new__`. dbt wants model names to be unique in a
  project; the two trees want the same tables in two schemas.
#}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ (custom_alias_name or node.name.removeprefix('new__')) | trim }}
{%- endmacro %}
