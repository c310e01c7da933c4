-- Orders on their way from purchase to customer: how long each leg took, and how the delivery compares with what
-- was promised. Seller and distance are those of the order's first item.

with orders as (
    select * from {{ ref('int_orders_enriched') }}
),

customers as (
    select * from {{ ref('stg_customers') }}
),

sellers as (
    select * from {{ ref('stg_sellers') }}
),

first_items as (
    select order_id, seller_id
    from {{ ref('stg_order_items') }}
    qualify row_number() over (partition by order_id order by order_item_id nulls last, seller_id nulls last) = 1
),

geography as (
    select * from {{ ref('dim_geography') }}
)

select
    o.order_id,
    o.customer_id,
    c.customer_unique_id,
    c.customer_state,
    o.order_status,
    o.order_purchase_timestamp,
    o.order_approved_at,
    o.order_delivered_carrier_date,
    o.order_delivered_customer_date,
    o.order_estimated_delivery_date,
    case when o.order_delivered_customer_date is null then false else true end as is_delivered,
    {{ whole_hours('o.order_purchase_timestamp', 'o.order_approved_at') }} as approval_hours,
    {{ date_diff('day', 'o.order_approved_at', 'o.order_delivered_carrier_date') }} as handling_days,
    {{ date_diff('day', 'o.order_delivered_carrier_date', 'o.order_delivered_customer_date') }} as transit_days,
    {{ date_diff('day', 'o.order_purchase_timestamp', 'o.order_delivered_customer_date') }} as delivery_days,
    {{ date_diff('day', 'o.order_estimated_delivery_date', 'o.order_delivered_customer_date') }} as days_vs_estimate,
    case
        when o.order_delivered_customer_date is null then null
        when {{ date_diff('day', 'o.order_estimated_delivery_date', 'o.order_delivered_customer_date') }} <= 0
            then 'ON_TIME'
        when {{ date_diff('day', 'o.order_estimated_delivery_date', 'o.order_delivered_customer_date') }} <= 7
            then 'SLIGHTLY_LATE'
        when {{ date_diff('day', 'o.order_estimated_delivery_date', 'o.order_delivered_customer_date') }} > 7
            then 'VERY_LATE'
    end as delivery_performance,
    case
        when {{ date_diff('day', 'o.order_estimated_delivery_date', 'o.order_delivered_customer_date') }} > 0
            then true
        when {{ date_diff('day', 'o.order_estimated_delivery_date', 'o.order_delivered_customer_date') }} <= 0
            then false
    end as is_late,
    case
        when c.customer_state = s.seller_state then true
        when c.customer_state <> s.seller_state then false
    end as same_state,
    {{ haversine_km('here.latitude', 'here.longitude', 'there.latitude', 'there.longitude') }} as distance_km,
    o.order_month
from orders as o
left join customers as c on c.customer_id = o.customer_id
left join first_items as i on i.order_id = o.order_id
left join sellers as s on s.seller_id = i.seller_id
left join geography as here on here.zip_code_prefix = c.customer_zip_code_prefix
left join geography as there on there.zip_code_prefix = s.seller_zip_code_prefix
