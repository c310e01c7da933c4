-- One row a purchase month: volume, revenue and payments, with their change on the month before.

with orders as (
    select * from {{ ref('fact_orders') }}
    where order_month is not null
),

payments as (
    select * from {{ ref('fact_payments') }}
),

monthly_orders as (
    select
        order_month,
        count(*) as total_orders,
        sum(case when order_status = 'delivered' then 1 else 0 end) as delivered_orders,
        sum(case when order_status = 'canceled' then 1 else 0 end) as canceled_orders,
        sum(case when order_status in ('canceled', 'unavailable') then 0 else 1 end) as sale_orders,
        sum(total_items) as total_items,
        count(distinct customer_id) as total_customers,
        try_cast(sum(total_amount) as decimal(18, 2)) as gross_merchandise_value,
        try_cast(
            sum(case when order_status in ('canceled', 'unavailable') then 0 else total_amount end)
            as decimal(18, 2)
        ) as revenue,
        try_cast(sum(total_freight) as decimal(18, 2)) as total_freight
    from orders
    group by order_month
),

monthly_payments as (
    select
        order_month,
        count(*) as number_of_payments,
        sum(case when payment_installments > 1 then 1 else 0 end) as instalment_payments,
        sum(payment_value) as total_payment,
        sum(case when payment_type = 'credit_card' then payment_value else 0 end) as credit_card_payment,
        sum(case when payment_type = 'boleto' then payment_value else 0 end) as boleto_payment,
        sum(case when payment_type = 'voucher' then payment_value else 0 end) as voucher_payment,
        sum(case when payment_type = 'debit_card' then payment_value else 0 end) as debit_card_payment
    from payments
    group by order_month
)

select
    o.order_month,
    o.total_orders,
    cast(o.delivered_orders as bigint) as delivered_orders,
    cast(o.canceled_orders as bigint) as canceled_orders,
    cast(o.sale_orders as bigint) as sale_orders,
    cast(o.total_items as bigint) as total_items,
    o.total_customers,
    o.gross_merchandise_value,
    o.revenue,
    o.total_freight,
    try_cast(coalesce(p.total_payment, 0) as decimal(18, 2)) as total_payment,
    case
        when o.sale_orders = 0 then null
        else cast(o.revenue as double) / cast(o.sale_orders as double)
    end as average_order_value,
    cast(o.canceled_orders as double) / cast(o.total_orders as double) as cancellation_rate,
    case
        when previous.revenue = 0 then null
        else cast(o.revenue - previous.revenue as double) / cast(previous.revenue as double)
    end as revenue_growth,
    try_cast(coalesce(p.credit_card_payment, 0) as decimal(18, 2)) as credit_card_payment,
    try_cast(coalesce(p.boleto_payment, 0) as decimal(18, 2)) as boleto_payment,
    try_cast(coalesce(p.voucher_payment, 0) as decimal(18, 2)) as voucher_payment,
    try_cast(coalesce(p.debit_card_payment, 0) as decimal(18, 2)) as debit_card_payment,
    cast(p.instalment_payments as double) / cast(p.number_of_payments as double) as instalment_payment_share,
    try_cast(
        sum(o.revenue) over (order by o.order_month rows between unbounded preceding and current row)
        as decimal(18, 2)
    ) as cumulative_revenue
from monthly_orders as o
left join monthly_payments as p on p.order_month = o.order_month
left join monthly_orders as previous on previous.order_month = o.order_month - interval 1 month
order by o.order_month
