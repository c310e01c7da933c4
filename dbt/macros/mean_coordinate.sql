{#
  The mean of a group's coordinates in degrees, rounded to 6 decimals, halves up. It sums whole billionths of a
  degree: a sum of floats would depend on the order of the rows. What is no number of degrees, NaN or 1e30, is left
  out like what is missing. Used by the old tree only.
#}
{% macro mean_coordinate(column) -%}
    {%- set billionths = adapter.dispatch('billionths')(column) -%}
    floor(
        cast(sum({{ billionths }}) as double) / cast(count({{ billionths }}) * 1000 as double) + 0.5
    ) / 1e6
{%- endmacro %}

{% macro default__billionths(column) -%}
    try_cast(floor({{ column }} * 1e9 + 0.5) as bigint)
{%- endmacro %}

{# Spark rounds NaN to 0 and what is too large to the largest bigint, and sums bigints to a bigint. #}
{% macro spark__billionths(column) -%}
    cast(case when abs({{ column }}) < 9.2e9 then floor({{ column }} * 1e9 + 0.5) end as decimal(19, 0))
{%- endmacro %}
