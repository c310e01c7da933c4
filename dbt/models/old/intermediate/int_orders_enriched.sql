-- Orders with what their items and payments add up to, and what follows from it. Orders without items or
-- payments stay, with zeros.

with orders as (
    select * from {{ ref('stg_orders') }}
),

order_items as (
    select
        order_id,
        count(*) as total_items,
        count(distinct seller_id) as num_sellers,
        try_cast(sum(price) as decimal(18, 2)) as total_price,
        try_cast(sum(freight_value) as decimal(18, 2)) as total_freight,
        try_cast(sum(total_amount) as decimal(18, 2)) as total_amount
    from {{ ref('stg_order_items') }}
    group by order_id
),

payments as (
    select
        order_id,
        try_cast(sum(payment_value) as decimal(18, 2)) as total_payment
    from {{ ref('stg_order_payments') }}
    group by order_id
),

joined as (
    select
        o.order_id,
        o.customer_id,
        o.order_status,
        o.order_purchase_timestamp,
        o.order_approved_at,
        o.order_delivered_carrier_date,
        o.validated_delivery_date as order_delivered_customer_date,
        o.order_estimated_delivery_date,
        coalesce(oi.total_items, 0) as total_items,
        coalesce(oi.num_sellers, 0) as num_sellers,
        coalesce(oi.total_price, 0) as total_price,
        coalesce(oi.total_freight, 0) as total_freight,
        coalesce(oi.total_amount, 0) as total_amount,
        coalesce(p.total_payment, 0) as total_payment
    from orders as o
    left join order_items as oi on oi.order_id = o.order_id
    left join payments as p on p.order_id = o.order_id
)

select
    order_id,
    customer_id,
    order_status,
    order_purchase_timestamp,
    order_approved_at,
    order_delivered_carrier_date,
    order_delivered_customer_date,
    order_estimated_delivery_date,
    cast(total_items as bigint) as total_items,
    cast(num_sellers as bigint) as num_sellers,
    cast(total_price as decimal(18, 2)) as total_price,
    cast(total_freight as decimal(18, 2)) as total_freight,
    cast(total_amount as decimal(18, 2)) as total_amount,
    cast(total_payment as decimal(18, 2)) as total_payment,
    cast(
        case when order_status in ('canceled', 'unavailable') then 0 else total_amount end
        as decimal(18, 2)
    ) as revenue,
    case
        when total_items = 0 then 'INVALID_NO_ITEMS'
        when order_status = 'approved' and abs(total_amount - total_payment) > 0.01
            then 'INVALID_PAYMENT_MISMATCH'
        else 'VALID'
    end as order_validity,
    case when abs(total_amount - total_payment) > 0.01 then true else false end as has_payment_mismatch,
    case when num_sellers > 1 then true else false end as is_multivendor,
    case when order_status = 'delivered' then true else false end as is_delivered,
    case when order_status = 'canceled' then true else false end as is_canceled,
    case when order_status in ('canceled', 'unavailable') then false else true end as is_sale,
    cast(date_trunc('month', order_purchase_timestamp) as date) as order_month
from joined
