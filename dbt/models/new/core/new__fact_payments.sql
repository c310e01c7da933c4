-- One row a payment of an order.

select
    {{ surrogate_key(['p.order_id', 'p.payment_sequential']) }} as payment_key,
    p.order_id,
    p.payment_sequential,
    p.payment_type,
    p.payment_installments,
    p.payment_value,
    p.is_instalment,
    {{ date_key('o.order_purchase_timestamp') }} as purchase_date_key,
    p.order_month
from {{ source('staging_sales', 'order_payments') }} as p
inner join {{ ref('new__int_orders_enriched') }} as o on o.order_id = p.order_id
where {{ in_window('p.order_month') }}
