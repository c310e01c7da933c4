{#
  The schema of a model: the one that is configured for it (`new` for the new tree, in dbt_project.yml), else
  that of the target (`old`, or `replay`). dbt's own macro would join the two to `old_new`.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
