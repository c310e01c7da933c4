-- One row an item of an order. An item whose order is not there has no date and no customer: it stays out.

with order_items as (
    select * from {{ ref('stg_order_items') }}
),

orders as (
    select * from {{ ref('int_orders_enriched') }}
)

select
    {{ surrogate_key(['oi.order_id', 'oi.order_item_id']) }} as order_item_key,
    oi.order_id,
    oi.order_item_id,
    oi.product_id,
    oi.seller_id,
    o.customer_id,
    o.order_status,
    {{ date_key('o.order_purchase_timestamp') }} as purchase_date_key,
    oi.shipping_limit_date,
    oi.price,
    oi.freight_value,
    try_cast(oi.price + oi.freight_value as decimal(18, 2)) as total_amount,
    o.order_month
from order_items as oi
inner join orders as o on o.order_id = oi.order_id
