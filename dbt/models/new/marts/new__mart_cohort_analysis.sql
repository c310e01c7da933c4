-- One row a month of first orders (cohort) and a month since then, up to the last month with orders: how many of
-- the cohort order again, and what they bring in. Months in which nobody orders are rows with zeros.

with customers as (
    select customer_unique_id, cohort_month
    from {{ ref('new__int_customers') }}
    where cohort_month is not null
),

orders as (
    select
        c.customer_unique_id,
        c.cohort_month,
        {{ date_diff('month', 'c.cohort_month', 'o.order_month') }} as months_since,
        p.is_repeat,
        o.revenue
    from {{ ref('new__fact_orders') }} as o
    inner join {{ source('staging_customer', 'purchases') }} as p on p.order_id = o.order_id
    inner join customers as c on c.customer_unique_id = p.customer_unique_id
),

cohorts as (
    select cohort_month, count(*) as cohort_size from customers group by cohort_month
),

last_month as (
    select max(order_month) as last_month from {{ ref('new__fact_orders') }}
),

months as (
    select
        c.cohort_month,
        c.cohort_size,
        {{ numbers_to(date_diff('month', 'c.cohort_month', 'l.last_month')) }} as months_since
    from cohorts as c
    cross join last_month as l
),

activity as (
    select
        cohort_month,
        months_since,
        count(distinct customer_unique_id) as active_customers,
        count(distinct customer_unique_id) filter (where is_repeat) as repeat_customers,
        count(*) as total_orders,
        count(*) filter (where is_repeat) as repeat_orders,
        sum(revenue) as revenue
    from orders
    group by cohort_month, months_since
),

filled as (
    select
        m.cohort_month,
        m.months_since,
        m.cohort_size,
        coalesce(a.active_customers, 0) as active_customers,
        coalesce(a.repeat_customers, 0) as repeat_customers,
        coalesce(a.total_orders, 0) as total_orders,
        coalesce(a.repeat_orders, 0) as repeat_orders,
        cast(coalesce(a.revenue, 0) as decimal(18, 2)) as revenue,
        sum(a.revenue) over (
            partition by m.cohort_month order by m.months_since rows between unbounded preceding and current row
        ) as cumulative_revenue
    from months as m
    left join activity as a on a.cohort_month = m.cohort_month and a.months_since = m.months_since
)

select
    cohort_month,
    months_since,
    {{ months_later('cohort_month', 'months_since') }} as order_month,
    cohort_size,
    active_customers,
    repeat_customers,
    total_orders,
    repeat_orders,
    {{ ratio('active_customers', 'cohort_size') }} as retention_rate,
    revenue,
    cast(cumulative_revenue as decimal(18, 2)) as cumulative_revenue,
    {{ ratio('cumulative_revenue', 'cohort_size') }} as cumulative_revenue_per_customer
from filled
order by cohort_month, months_since
