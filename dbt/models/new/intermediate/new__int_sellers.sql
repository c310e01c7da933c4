-- Sellers with the history of what they sold. An order counts for every seller that it has an item of.

with history as (
    select
        oi.seller_id,
        count(distinct oi.order_id) as total_orders,
        count(distinct oi.order_id) filter (where o.is_sale) as sale_orders,
        count(distinct oi.order_id) filter (where o.is_canceled) as canceled_orders,
        count(*) as total_items,
        sum(oi.price) as total_price,
        sum(oi.freight_value) as total_freight,
        sum(oi.total_amount) filter (where o.is_sale) as revenue,
        min(o.order_purchase_timestamp) as first_order_at,
        max(o.order_purchase_timestamp) as last_order_at
    from {{ source('staging_sales', 'order_items') }} as oi
    inner join {{ ref('new__int_orders_enriched') }} as o on o.order_id = oi.order_id
    group by oi.seller_id
)

select
    s.seller_id,
    s.seller_zip_code_prefix as zip_code_prefix,
    s.seller_city as city,
    s.seller_state as state,
    s.region,
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
from {{ source('staging_marketplace', 'sellers') }} as s
left join history as h on h.seller_id = s.seller_id
