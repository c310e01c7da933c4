-- One row a purchase month and state of the customer: how fast and how punctual deliveries are, and what freight
-- costs. An order whose customer is unknown has no state: it stays out.

with deliveries as (
    select
        order_month,
        customer_state as state,
        order_id,
        is_delivered,
        is_late,
        delivery_performance,
        delivery_days,
        days_vs_estimate,
        approval_hours,
        handling_days,
        transit_days,
        same_state,
        distance_km
    from {{ ref('new__int_deliveries') }}
    where customer_state is not null
),

monthly as (
    select
        d.order_month,
        d.state,
        count(*) as total_orders,
        count(*) filter (where d.is_delivered) as delivered_orders,
        count(*) filter (where d.is_late) as late_orders,
        avg(d.delivery_days) as average_delivery_days,
        median(d.delivery_days) as median_delivery_days,
        avg(d.days_vs_estimate) as average_days_vs_estimate,
        avg(d.approval_hours) as average_approval_hours,
        avg(d.handling_days) as average_handling_days,
        avg(d.transit_days) as average_transit_days,
        avg(cast(d.same_state as integer)) as same_state_share,
        {{ ratio('sum(cast(d.distance_km as decimal(18, 3)))', 'count(d.distance_km)') }} as average_distance_km,
        cast(sum(o.total_freight) as decimal(18, 2)) as total_freight,
        {{ ratio('sum(o.total_freight)', 'sum(o.total_amount)') }} as freight_share
    from deliveries as d
    inner join {{ ref('new__fact_orders') }} as o on o.order_id = d.order_id
    group by d.order_month, d.state
),

performance as (
    select *
    from (select order_month, state, delivery_performance from deliveries)
    pivot (
        count(*)
        for delivery_performance in ('ON_TIME', 'SLIGHTLY_LATE', 'VERY_LATE')
    )
)

select
    m.order_month,
    m.state,
    m.total_orders,
    m.delivered_orders,
    {{ pivoted_count('p.on_time') }} as on_time_orders,
    {{ pivoted_count('p.slightly_late') }} as slightly_late_orders,
    {{ pivoted_count('p.very_late') }} as very_late_orders,
    {{ ratio('m.late_orders', 'm.delivered_orders') }} as late_rate,
    m.average_delivery_days,
    m.median_delivery_days,
    m.average_days_vs_estimate,
    m.average_approval_hours,
    m.average_handling_days,
    m.average_transit_days,
    m.same_state_share,
    m.average_distance_km,
    m.total_freight,
    m.freight_share
from monthly as m
inner join performance as p on p.order_month = m.order_month and p.state = m.state
order by m.order_month, m.state
