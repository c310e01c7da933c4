{#
  Dates, as both engines count them: DuckDB's own functions, and what they are on Spark. Expressions are SQL.
#}

{# How many boundaries of a day or a month lie between two dates or timestamps; negative where the second is earlier. #}
{% macro date_diff(part, first, second) -%}
    {{ adapter.dispatch('date_diff')(part, first, second) }}
{%- endmacro %}

{% macro default__date_diff(part, first, second) -%}
    date_diff('{{ part }}', {{ first }}, {{ second }})
{%- endmacro %}

{% macro spark__date_diff(part, first, second) -%}
    {%- if part == 'day' -%}
    cast(datediff({{ second }}, {{ first }}) as bigint)
    {%- else -%}
    cast(12 * (year({{ second }}) - year({{ first }})) + month({{ second }}) - month({{ first }}) as bigint)
    {%- endif -%}
{%- endmacro %}


{# How many whole hours lie between two timestamps; negative where the second is earlier. #}
{% macro whole_hours(first, second) -%}
    {{ adapter.dispatch('whole_hours')(first, second) }}
{%- endmacro %}

{% macro default__whole_hours(first, second) -%}
    date_sub('hour', {{ first }}, {{ second }})
{%- endmacro %}

{% macro spark__whole_hours(first, second) -%}
    timestampdiff(hour, {{ first }}, {{ second }})
{%- endmacro %}


{# The same day so many months later. #}
{% macro months_later(day, months) -%}
    {{ adapter.dispatch('months_later')(day, months) }}
{%- endmacro %}

{% macro default__months_later(day, months) -%}
    cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__months_later(day, months) -%}
    add_months({{ day }}, cast({{ months }} as integer))
{%- endmacro %}


{# A row for each number from 0 to `last`, in the list of a select; none where that is negative or null. #}
{% macro numbers_to(last) -%}
    {{ adapter.dispatch('numbers_to')(last) }}
{%- endmacro %}

{% macro default__numbers_to(last) -%}
    unnest(range(0, {{ last }} + 1))
{%- endmacro %}

{% macro spark__numbers_to(last) -%}
    explode(case when {{ last }} >= 0 then sequence(cast(0 as bigint), {{ last }}) end)
{%- endmacro %}
