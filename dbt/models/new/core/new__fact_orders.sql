-- One row an order.

select
    {{ surrogate_key(['order_id']) }} as order_key,
    order_id,
    customer_id,
    order_status,
    {{ date_key('order_purchase_timestamp') }} as purchase_date_key,
    order_purchase_timestamp,
    order_approved_at,
    order_delivered_carrier_date,
    order_delivered_customer_date,
    order_estimated_delivery_date,
    total_items,
    num_sellers,
    total_price,
    total_freight,
    total_amount,
    total_payment,
    revenue,
    order_validity,
    has_payment_mismatch,
    is_multivendor,
    is_delivered,
    is_canceled,
    is_sale,
    order_month
from {{ ref('new__int_orders_enriched') }}
where {{ in_window('order_month') }}
