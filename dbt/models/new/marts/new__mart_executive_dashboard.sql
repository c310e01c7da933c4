-- One row a purchase month: volume, revenue and payments, with their change on the month before. What an
-- order counts as (delivered, canceled, a sale) and brings in was decided before; here it is summed up.

with monthly_orders as (
    select
        order_month,
        count(*) as total_orders,
        count(*) filter (where is_delivered) as delivered_orders,
        count(*) filter (where is_canceled) as canceled_orders,
        count(*) filter (where is_sale) as sale_orders,
        cast(sum(total_items) as bigint) as total_items,
        count(distinct customer_id) as total_customers,
        cast(sum(total_amount) as decimal(18, 2)) as gross_merchandise_value,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(total_freight) as decimal(18, 2)) as total_freight
    from {{ ref('new__fact_orders') }}
    group by order_month
),

monthly_payments as (
    select
        order_month,
        count(*) as number_of_payments,
        count(*) filter (where is_instalment) as instalment_payments,
        sum(payment_value) as total_payment
    from {{ ref('new__fact_payments') }}
    group by order_month
),

payment_mix as (
    select *
    from (select order_month, payment_type, payment_value from {{ ref('new__fact_payments') }})
    pivot (
        sum(payment_value)
        for payment_type in ('credit_card', 'boleto', 'voucher', 'debit_card')
    )
)

select
    o.order_month,
    o.total_orders,
    o.delivered_orders,
    o.canceled_orders,
    o.sale_orders,
    o.total_items,
    o.total_customers,
    o.gross_merchandise_value,
    o.revenue,
    o.total_freight,
    cast(coalesce(p.total_payment, 0) as decimal(18, 2)) as total_payment,
    {{ ratio('o.revenue', 'o.sale_orders') }} as average_order_value,
    {{ ratio('o.canceled_orders', 'o.total_orders') }} as cancellation_rate,
    {{ ratio('o.revenue - previous.revenue', 'previous.revenue') }} as revenue_growth,
    cast(coalesce(mix.credit_card, 0) as decimal(18, 2)) as credit_card_payment,
    cast(coalesce(mix.boleto, 0) as decimal(18, 2)) as boleto_payment,
    cast(coalesce(mix.voucher, 0) as decimal(18, 2)) as voucher_payment,
    cast(coalesce(mix.debit_card, 0) as decimal(18, 2)) as debit_card_payment,
    {{ ratio('p.instalment_payments', 'p.number_of_payments') }} as instalment_payment_share,
    cast(
        sum(o.revenue) over (order by o.order_month rows between unbounded preceding and current row)
        as decimal(18, 2)
    ) as cumulative_revenue
from monthly_orders as o
left join monthly_payments as p on p.order_month = o.order_month
left join payment_mix as mix on mix.order_month = o.order_month
left join monthly_orders as previous on previous.order_month = o.order_month - interval 1 month
order by o.order_month
