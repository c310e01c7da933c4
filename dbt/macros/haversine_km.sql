{#
  The great-circle distance of two points in km, from degrees, to the metre; null where a coordinate is. It asks
  for the null first, because least() skips it. Used by the old tree only.
#}
{% macro haversine_km(latitude, longitude, other_latitude, other_longitude) -%}
    case
        when {{ latitude }} is null or {{ longitude }} is null then null
        when {{ other_latitude }} is null or {{ other_longitude }} is null then null
        else round(
            2 * 6371.0088 * asin(least(1, sqrt(
                pow(sin(radians({{ other_latitude }} - {{ latitude }}) / 2), 2)
                + cos(radians({{ latitude }})) * cos(radians({{ other_latitude }}))
                * pow(sin(radians({{ other_longitude }} - {{ longitude }}) / 2), 2)
            ))),
            3
        )
    end
{%- endmacro %}
