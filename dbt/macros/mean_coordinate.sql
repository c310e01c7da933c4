{#
  The mean of a group's coordinates in degrees, rounded to 6 decimals, halves up. It sums whole billionths of a
  degree: a sum of floats would depend on the order of the rows. What is no number of degrees, NaN or 1e30, is left
  out like what is missing. Used by the old tree only.
#}
{% macro mean_coordinate(column) -%}
    {%- set billionths = "try_cast(floor(" ~ column ~ " * 1e9 + 0.5) as bigint)" -%}
    floor(
        cast(sum({{ billionths }}) as double) / cast(count({{ billionths }}) * 1000 as double) + 0.5
    ) / 1e6
{%- endmacro %}
