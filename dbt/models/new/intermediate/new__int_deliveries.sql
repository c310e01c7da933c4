-- Orders on their way from purchase to customer, and who waits for them. Spans, performance and distance were
-- computed before.

select
    d.order_id,
    o.customer_id,
    c.customer_unique_id,
    c.customer_state,
    d.order_status,
    d.order_purchase_timestamp,
    d.order_approved_at,
    d.order_delivered_carrier_date,
    d.order_delivered_customer_date,
    d.order_estimated_delivery_date,
    d.is_delivered,
    d.approval_hours,
    d.handling_days,
    d.transit_days,
    d.delivery_days,
    d.days_vs_estimate,
    d.delivery_performance,
    d.is_late,
    d.same_state,
    d.distance_km,
    d.order_month
from {{ source('staging_fulfillment', 'deliveries') }} as d
inner join {{ ref('new__int_orders_enriched') }} as o on o.order_id = d.order_id
left join {{ source('staging_customer', 'customers') }} as c on c.customer_id = o.customer_id
where {{ in_window('d.order_month') }}
