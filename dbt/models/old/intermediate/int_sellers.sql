-- Sellers with the history of what they sold. An order counts for every seller that it has an item of.

with sellers as (
    select * from {{ ref('stg_sellers') }}
),

items as (
    select
        oi.seller_id,
        oi.order_id,
        oi.price,
        oi.freight_value,
        oi.total_amount,
        o.order_status,
        o.order_purchase_timestamp
    from {{ ref('stg_order_items') }} as oi
    inner join {{ ref('int_orders_enriched') }} as o on o.order_id = oi.order_id
),

history as (
    select
        seller_id,
        count(distinct order_id) as total_orders,
        count(distinct case when order_status in ('canceled', 'unavailable') then null else order_id end)
            as sale_orders,
        count(distinct case when order_status = 'canceled' then order_id end) as canceled_orders,
        count(*) as total_items,
        try_cast(sum(price) as decimal(18, 2)) as total_price,
        try_cast(sum(freight_value) as decimal(18, 2)) as total_freight,
        try_cast(
            sum(case when order_status in ('canceled', 'unavailable') then 0 else total_amount end)
            as decimal(18, 2)
        ) as revenue,
        min(order_purchase_timestamp) as first_order_at,
        max(order_purchase_timestamp) as last_order_at
    from items
    group by seller_id
)

select
    s.seller_id,
    s.seller_zip_code_prefix as zip_code_prefix,
    s.seller_city as city,
    s.seller_state as state,
    {{ region_of_state('s.seller_state') }} as region,
    coalesce(h.total_orders, 0) as total_orders,
    coalesce(h.sale_orders, 0) as sale_orders,
    coalesce(h.canceled_orders, 0) as canceled_orders,
    coalesce(h.total_items, 0) as total_items,
    cast(coalesce(h.total_price, 0) as decimal(18, 2)) as total_price,
    cast(coalesce(h.total_freight, 0) as decimal(18, 2)) as total_freight,
    cast(coalesce(h.revenue, 0) as decimal(18, 2)) as revenue,
    h.first_order_at,
    h.last_order_at,
    {{ date_diff('day', 'h.first_order_at', as_of()) }} as tenure_days
from sellers as s
left join history as h on h.seller_id = s.seller_id
