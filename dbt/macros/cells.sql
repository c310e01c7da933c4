{#
  Cells of landing, which are text, as values: null where a cell is none. Both engines read the same values of them:
  DuckDB's casts, which take `9e9` for a whole number and round `1.5`, and what gives the same on Spark. Spark does
  without a few spellings: `0x1F`, `1_000`, `2017/02/03`, `24:00:00`, `epoch` and `infinity`. Used by the old tree only.
#}

{# A cell without the spaces around it. #}
{% macro trimmed(cell) -%}
    {{ adapter.dispatch('trimmed')(cell) }}
{%- endmacro %}

{% macro default__trimmed(cell) -%}
    trim({{ cell }})
{%- endmacro %}

{% macro spark__trimmed(cell) -%}
    regexp_replace({{ cell }}, r'^\p{Zs}+|\p{Zs}+$', '')
{%- endmacro %}


{# A cell as a whole number. #}
{% macro try_bigint(cell) -%}
    {{ adapter.dispatch('try_bigint')(cell) }}
{%- endmacro %}

{% macro default__try_bigint(cell) -%}
    try_cast({{ trimmed(cell) }} as bigint)
{%- endmacro %}

{% macro spark__try_bigint(cell) -%}
    try_cast(round(try_cast({{ spark__spelt(cell, '[-+.0-9eE]+') }} as decimal(38, 15))) as bigint)
{%- endmacro %}


{# A cell as an amount of money. #}
{% macro try_money(cell) -%}
    {{ adapter.dispatch('try_money')(cell) }}
{%- endmacro %}

{% macro default__try_money(cell) -%}
    try_cast({{ trimmed(cell) }} as decimal(18, 2))
{%- endmacro %}

{% macro spark__try_money(cell) -%}
    try_cast({{ spark__spelt(cell, '[-+.0-9eE]+') }} as decimal(18, 2))
{%- endmacro %}


{# A cell as a floating-point number. #}
{% macro try_double(cell) -%}
    {{ adapter.dispatch('try_double')(cell) }}
{%- endmacro %}

{% macro default__try_double(cell) -%}
    try_cast({{ trimmed(cell) }} as double)
{%- endmacro %}

{% macro spark__try_double(cell) -%}
    try_cast({{ spark__spelt(cell, '[-+.0-9eE]+|(?i)[-+]?(nan|inf|infinity)') }} as double)
{%- endmacro %}


{# A cell as a timestamp. #}
{% macro try_timestamp(cell) -%}
    {{ adapter.dispatch('try_timestamp')(cell) }}
{%- endmacro %}

{% macro default__try_timestamp(cell) -%}
    try_cast({{ trimmed(cell) }} as timestamp)
{%- endmacro %}

{% macro spark__try_timestamp(cell) -%}
    try_cast({{ spark__spelt(cell, '-?[0-9]+-[0-9]+-[0-9]+([ T][0-9]+:[0-9]+.*)?') }} as timestamp)
{%- endmacro %}


{# Whether nothing but blanks and line breaks stands in a text. #}
{% macro is_blank(column) -%}
    {{ adapter.dispatch('is_blank')(column) }}
{%- endmacro %}

{% macro default__is_blank(column) -%}
    trim({{ column }}, e' \t\r\n') = ''
{%- endmacro %}

{% macro spark__is_blank(column) -%}
    btrim({{ column }}, ' \t\r\n') = ''
{%- endmacro %}


{# A cell without the spaces around it where a pattern is all of that: Spark's casts take more than DuckDB's. #}
{% macro spark__spelt(cell, pattern) -%}
    regexp_extract({{ trimmed(cell) }}, r'^\s*({{ pattern }})\s*$', 0)
{%- endmacro %}
