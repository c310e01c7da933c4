-- One row an item of an order.

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
    oi.total_amount,
    oi.order_month
from {{ source('staging_sales', 'order_items') }} as oi
inner join {{ ref('new__int_orders_enriched') }} as o on o.order_id = oi.order_id
where {{ in_window('oi.order_month') }}
