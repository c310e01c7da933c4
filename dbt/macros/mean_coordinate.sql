{#
  The mean of a group's coordinates in degrees, rounded to 6 decimals, halves up. It sums whole billionths of a
  degree: a sum of floats would depend on the order of the rows. Used by the old tree only.
#}
{% macro mean_coordinate(column) -%}
    floor(
        cast(sum(cast(floor({{ column }} * 1e9 + 0.5) as bigint)) as double)
        / cast(count({{ column }}) * 1000 as double) + 0.5
    ) / 1e6
{%- endmacro %}
