-- One row a payment of an order. A payment whose order is not there has no date: it stays out.

with payments as (
    select * from {{ ref('stg_order_payments') }}
),

orders as (
    select * from {{ ref('int_orders_enriched') }}
)

select
    {{ surrogate_key(['p.order_id', 'p.payment_sequential']) }} as payment_key,
    p.order_id,
    p.payment_sequential,
    p.payment_type,
    p.payment_installments,
    p.payment_value,
    case when p.payment_installments > 1 then true else false end as is_instalment,
    {{ date_key('o.order_purchase_timestamp') }} as purchase_date_key,
    o.order_month
from payments as p
inner join orders as o on o.order_id = p.order_id
