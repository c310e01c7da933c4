{#
  A key made of the parts of a natural key: the md5 of their texts, joined by a hyphen. A missing part has a
  text of its own, so that ('a', null) and ('a', '') have different keys.
#}
{% macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(cast({{ column }} as string), '_null_')
        {%- if not loop.last %} || '-' ||{% endif %}
        {%- endfor %}
    )
{%- endmacro %}
