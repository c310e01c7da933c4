{#
  The rows of dim_date: one a day from `first_day` to 31 December of the year of `last_day` (SQL date
  expressions). Both trees use it: a calendar is technical, no business rule is in it.

  Holidays are Brazil's national ones with a fixed date; 20 November is one since 2024.
#}
{% macro date_dimension(first_day, last_day) -%}
with days as (
    select {{ adapter.dispatch('days_between')(first_day, "make_date(year(" ~ last_day ~ "), 12, 31)") }} as full_date
),

calendar as (
    select
        full_date,
        {{ adapter.dispatch('parts_of_day')('full_date') | indent(8) }}
    from days
)

select
    {{ date_key('full_date') }} as date_key,
    full_date,
    cast(year(full_date) as integer) as year,
    cast(quarter(full_date) as integer) as quarter,
    cast(month(full_date) as integer) as month,
    month_name,
    cast(date_trunc('month', full_date) as date) as month_start,
    cast(day(full_date) as integer) as day,
    cast(iso_weekday as integer) as day_of_week,
    day_name,
    cast(iso_year as integer) as iso_year,
    cast(iso_week as integer) as iso_week,
    iso_weekday in (6, 7) as is_weekend,
    month_and_day in (
        '01-01', '04-21', '05-01', '09-07', '10-12', '11-02', '11-15', '12-25'
    )
    or (month_and_day = '11-20' and year(full_date) >= 2024) as is_national_holiday
from calendar
order by full_date
{%- endmacro %}


{# A row a day from one date to another, both included, in the list of a select. #}
{% macro default__days_between(first_day, last_day) -%}
    cast(unnest(generate_series(
        cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval 1 day
    )) as date)
{%- endmacro %}

{% macro spark__days_between(first_day, last_day) -%}
    explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day))
{%- endmacro %}


{# The English names of a date's month and day, its place in the ISO calendar, and its month and day as text. #}
{% macro default__parts_of_day(day) -%}
monthname({{ day }}) as month_name,
dayname({{ day }}) as day_name,
isodow({{ day }}) as iso_weekday,
isoyear({{ day }}) as iso_year,
week({{ day }}) as iso_week,
strftime({{ day }}, '%m-%d') as month_and_day
{%- endmacro %}

{% macro spark__parts_of_day(day) -%}
date_format({{ day }}, 'MMMM') as month_name,
date_format({{ day }}, 'EEEE') as day_name,
extract(dayofweek_iso from {{ day }}) as iso_weekday,
extract(yearofweek from {{ day }}) as iso_year,
weekofyear({{ day }}) as iso_week,
date_format({{ day }}, 'MM-dd') as month_and_day
{%- endmacro %}
