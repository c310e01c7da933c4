-- One row a city: what its customers buy and what its sellers sell. An order counts where its customer lived
-- then; an order whose customer is unknown has no place: it stays out.

with reviews as (
    select
        order_id,
        sum(review_score) as sum_of_scores,
        count(review_score) as number_of_scores
    from {{ ref('new__fact_reviews') }}
    group by order_id
),

purchases as (
    select
        c.customer_state as state,
        c.customer_city as city,
        c.region,
        count(distinct c.customer_unique_id) as customers,
        count(*) as total_orders,
        count(*) filter (where o.is_sale) as sale_orders,
        sum(o.revenue) as revenue,
        {{ ratio('sum(o.total_freight)', 'sum(o.total_amount)') }} as freight_share,
        count(*) filter (where d.is_delivered) as delivered_orders,
        count(*) filter (where d.is_late) as late_orders,
        avg(d.delivery_days) as average_delivery_days,
        {{ ratio('sum(r.sum_of_scores)', 'sum(r.number_of_scores)') }} as average_review_score
    from {{ ref('new__fact_orders') }} as o
    inner join {{ source('staging_customer', 'customers') }} as c on c.customer_id = o.customer_id
    left join {{ ref('new__int_deliveries') }} as d on d.order_id = o.order_id
    left join reviews as r on r.order_id = o.order_id
    group by c.customer_state, c.customer_city, c.region
),

sellers as (
    select
        state,
        city,
        region,
        count(*) as sellers,
        sum(revenue) as seller_revenue
    from {{ ref('new__int_sellers') }}
    group by state, city, region
),

places as (
    select
        coalesce(p.state, s.state) as state,
        coalesce(p.city, s.city) as city,
        coalesce(p.region, s.region) as region,
        coalesce(p.customers, 0) as customers,
        coalesce(p.total_orders, 0) as total_orders,
        coalesce(p.sale_orders, 0) as sale_orders,
        cast(coalesce(p.revenue, 0) as decimal(18, 2)) as revenue,
        p.freight_share,
        coalesce(p.delivered_orders, 0) as delivered_orders,
        p.late_orders,
        p.average_delivery_days,
        p.average_review_score,
        coalesce(s.sellers, 0) as sellers,
        cast(coalesce(s.seller_revenue, 0) as decimal(18, 2)) as seller_revenue
    from purchases as p
    full outer join sellers as s on s.state = p.state and s.city = p.city
)

select
    state,
    city,
    region,
    customers,
    total_orders,
    sale_orders,
    revenue,
    {{ ratio('revenue', 'sale_orders') }} as average_order_value,
    {{ ratio('revenue', 'sum(revenue) over ()') }} as share_of_revenue,
    cast(row_number() over (order by revenue desc, state nulls last, city nulls last) as bigint) as revenue_rank,
    freight_share,
    delivered_orders,
    {{ ratio('late_orders', 'delivered_orders') }} as late_rate,
    average_delivery_days,
    average_review_score,
    sellers,
    seller_revenue
from places
order by state, city
