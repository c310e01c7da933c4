-- One row a city: what its customers buy and what its sellers sell. An order counts where its customer lived
-- then; an order whose customer is unknown has no place: it stays out.

with reviews as (
    select
        order_id,
        sum(review_score) as sum_of_scores,
        count(review_score) as number_of_scores
    from {{ ref('fact_reviews') }}
    group by order_id
),

purchases as (
    select
        c.customer_state as state,
        c.customer_city as city,
        count(distinct c.customer_unique_id) as customers,
        count(*) as total_orders,
        sum(case when o.order_status in ('canceled', 'unavailable') then 0 else 1 end) as sale_orders,
        sum(case when o.order_status in ('canceled', 'unavailable') then 0 else o.total_amount end) as revenue,
        sum(o.total_freight) as total_freight,
        sum(o.total_amount) as total_amount,
        sum(case when d.order_delivered_customer_date is not null then 1 else 0 end) as delivered_orders,
        sum(
            case
                when {{ date_diff('day', 'd.order_estimated_delivery_date', 'd.order_delivered_customer_date') }} > 0
                    then 1
                else 0
            end
        ) as late_orders,
        avg(d.delivery_days) as average_delivery_days,
        sum(r.sum_of_scores) as sum_of_scores,
        sum(r.number_of_scores) as number_of_scores
    from {{ ref('fact_orders') }} as o
    inner join {{ ref('stg_customers') }} as c on c.customer_id = o.customer_id
    left join {{ ref('int_deliveries') }} as d on d.order_id = o.order_id
    left join reviews as r on r.order_id = o.order_id
    group by c.customer_state, c.customer_city
),

sellers as (
    select
        state,
        city,
        count(*) as sellers,
        sum(revenue) as seller_revenue
    from {{ ref('int_sellers') }}
    group by state, city
),

places as (
    select
        coalesce(p.state, s.state) as state,
        coalesce(p.city, s.city) as city,
        coalesce(p.customers, 0) as customers,
        coalesce(p.total_orders, 0) as total_orders,
        coalesce(p.sale_orders, 0) as sale_orders,
        coalesce(p.revenue, 0) as revenue,
        p.total_freight,
        p.total_amount,
        coalesce(p.delivered_orders, 0) as delivered_orders,
        p.late_orders,
        p.average_delivery_days,
        p.sum_of_scores,
        p.number_of_scores,
        coalesce(s.sellers, 0) as sellers,
        coalesce(s.seller_revenue, 0) as seller_revenue
    from purchases as p
    full outer join sellers as s on s.state = p.state and s.city = p.city
)

select
    state,
    city,
    {{ region_of_state('state') }} as region,
    customers,
    total_orders,
    cast(sale_orders as bigint) as sale_orders,
    try_cast(revenue as decimal(18, 2)) as revenue,
    case
        when sale_orders = 0 then null
        else cast(revenue as double) / cast(sale_orders as double)
    end as average_order_value,
    {{ ratio('revenue', 'sum(revenue) over ()') }} as share_of_revenue,
    cast(row_number() over (order by revenue desc, state nulls last, city nulls last) as bigint) as revenue_rank,
    case
        when total_amount = 0 then null
        else cast(total_freight as double) / cast(total_amount as double)
    end as freight_share,
    cast(delivered_orders as bigint) as delivered_orders,
    case
        when delivered_orders = 0 then null
        else cast(late_orders as double) / cast(delivered_orders as double)
    end as late_rate,
    average_delivery_days,
    case
        when number_of_scores = 0 then null
        else cast(sum_of_scores as double) / cast(number_of_scores as double)
    end as average_review_score,
    sellers,
    try_cast(seller_revenue as decimal(18, 2)) as seller_revenue
from places
order by state, city
