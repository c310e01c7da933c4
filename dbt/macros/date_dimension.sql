{#
  The rows of dim_date: one a day from `first_day` to 31 December of the year of `last_day` (SQL date
  expressions). Both trees use it: a calendar is technical, no business rule is in it.

  Holidays are Brazil's national ones with a fixed date; 20 November is one since 2024.
#}
{% macro date_dimension(first_day, last_day) -%}
with days as (
    select cast(unnest(generate_series(
        cast({{ first_day }} as timestamp),
        cast(make_date(year({{ last_day }}), 12, 31) as timestamp),
        interval 1 day
    )) as date) as full_date
)

select
    {{ date_key('full_date') }} as date_key,
    full_date,
    cast(year(full_date) as integer) as year,
    cast(quarter(full_date) as integer) as quarter,
    cast(month(full_date) as integer) as month,
    monthname(full_date) as month_name,
    cast(date_trunc('month', full_date) as date) as month_start,
    cast(day(full_date) as integer) as day,
    cast(isodow(full_date) as integer) as day_of_week,
    dayname(full_date) as day_name,
    cast(isoyear(full_date) as integer) as iso_year,
    cast(week(full_date) as integer) as iso_week,
    isodow(full_date) in (6, 7) as is_weekend,
    strftime(full_date, '%m-%d') in (
        '01-01', '04-21', '05-01', '09-07', '10-12', '11-02', '11-15', '12-25'
    )
    or (strftime(full_date, '%m-%d') = '11-20' and year(full_date) >= 2024) as is_national_holiday
from days
order by full_date
{%- endmacro %}
