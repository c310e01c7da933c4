with days as ({{ dbt_utils.date_spine('day', "date '2016-01-01'", "date '2018-12-31'") }}) select date_day, year(date_day) as year, month(date_day) as month, current_date as built_on from days
