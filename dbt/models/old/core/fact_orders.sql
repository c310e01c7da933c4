-- One row an order.

with orders as (
    select * from {{ ref('int_orders_enriched') }}
)

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
    cast(
        case
            when order_status = 'canceled' or order_status = 'unavailable' then 0
            else total_amount
        end as decimal(18, 2)
    ) as revenue,
    case
        when total_items = 0 then 'INVALID_NO_ITEMS'
        when order_status = 'approved' and abs(total_amount - total_payment) > 0.01
            then 'INVALID_PAYMENT_MISMATCH'
        else 'VALID'
    end as order_validity,
    case when abs(total_amount - total_payment) > 0.01 then true else false end as has_payment_mismatch,
    is_multivendor,
    case when order_status = 'delivered' then true else false end as is_delivered,
    case when order_status = 'canceled' then true else false end as is_canceled,
    is_sale,
    order_month
from orders
