-- One row a purchase month and state of the customer: how fast and how punctual deliveries are, and what freight
-- costs. An order whose customer is unknown has no state: it stays out.

with deliveries as (
    select
        *,
        {{ date_diff('day', 'order_estimated_delivery_date', 'order_delivered_customer_date') }} as days_late
    from {{ ref('int_deliveries') }}
    where order_month is not null and customer_state is not null
),

orders as (
    select order_id, total_freight, total_amount from {{ ref('fact_orders') }}
),

monthly as (
    select
        d.order_month,
        d.customer_state as state,
        count(*) as total_orders,
        sum(case when d.order_delivered_customer_date is not null then 1 else 0 end) as delivered_orders,
        sum(case when d.days_late <= 0 then 1 else 0 end) as on_time_orders,
        sum(case when d.days_late > 0 and d.days_late <= 7 then 1 else 0 end) as slightly_late_orders,
        sum(case when d.days_late > 7 then 1 else 0 end) as very_late_orders,
        avg(d.delivery_days) as average_delivery_days,
        median(d.delivery_days) as median_delivery_days,
        avg(d.days_late) as average_days_vs_estimate,
        avg(d.approval_hours) as average_approval_hours,
        avg(d.handling_days) as average_handling_days,
        avg(d.transit_days) as average_transit_days,
        avg(case when d.same_state then 1 when not d.same_state then 0 end) as same_state_share,
        {{ ratio('sum(cast(d.distance_km as decimal(18, 3)))', 'count(d.distance_km)') }} as average_distance_km,
        sum(o.total_freight) as total_freight,
        sum(o.total_amount) as total_amount
    from deliveries as d
    inner join orders as o on o.order_id = d.order_id
    group by d.order_month, d.customer_state
)

select
    order_month,
    state,
    total_orders,
    cast(delivered_orders as bigint) as delivered_orders,
    cast(on_time_orders as bigint) as on_time_orders,
    cast(slightly_late_orders as bigint) as slightly_late_orders,
    cast(very_late_orders as bigint) as very_late_orders,
    case
        when delivered_orders = 0 then null
        else cast(slightly_late_orders + very_late_orders as double) / cast(delivered_orders as double)
    end as late_rate,
    average_delivery_days,
    median_delivery_days,
    average_days_vs_estimate,
    average_approval_hours,
    average_handling_days,
    average_transit_days,
    same_state_share,
    average_distance_km,
    try_cast(total_freight as decimal(18, 2)) as total_freight,
    case
        when total_amount = 0 then null
        else cast(total_freight as double) / cast(total_amount as double)
    end as freight_share
from monthly
order by order_month, state
