{# Whether a text is wholly of `pattern`, a SQL literal of a regular expression. #}
{% macro is_wholly(text, pattern) -%}
    {{ adapter.dispatch('is_wholly')(text, pattern) }}
{%- endmacro %}

{% macro default__is_wholly(text, pattern) -%}
    regexp_full_match({{ text }}, {{ pattern }})
{%- endmacro %}

{% macro spark__is_wholly(text, pattern) -%}
    {{ text }} rlike concat('^(', {{ pattern }}, r')\z')
{%- endmacro %}
