-- One row a seller: revenue, cancellations, punctuality, ratings and tenure.

with sellers as (
    select * from {{ ref('int_sellers') }}
),

-- A delivery and a review speak of an order, so they count once for each of its sellers.
orders_of_sellers as (
    select distinct order_id, seller_id from {{ ref('fact_order_items') }}
),

deliveries as (
    select
        s.seller_id,
        count(*) as delivered_orders,
        sum(
            case
                when {{ date_diff('day', 'd.order_estimated_delivery_date', 'd.order_delivered_customer_date') }} > 0
                    then 1
                else 0
            end
        ) as late_orders,
        avg({{ date_diff('day', 'd.order_purchase_timestamp', 'd.order_delivered_customer_date') }})
            as average_delivery_days
    from orders_of_sellers as s
    inner join {{ ref('int_deliveries') }} as d on d.order_id = s.order_id
    where d.order_delivered_customer_date is not null
    group by s.seller_id
),

ratings as (
    select
        s.seller_id,
        count(r.review_score) as total_reviews,
        sum(r.review_score) as sum_of_scores,
        sum(case when r.review_score <= 2 then 1 else 0 end) as negative_reviews
    from orders_of_sellers as s
    inner join {{ ref('fact_reviews') }} as r on r.order_id = s.order_id
    group by s.seller_id
)

select
    s.seller_id,
    s.city,
    s.state,
    s.region,
    s.first_order_at,
    s.last_order_at,
    s.tenure_days,
    s.total_orders,
    s.sale_orders,
    s.canceled_orders,
    case
        when s.total_orders = 0 then null
        else cast(s.canceled_orders as double) / cast(s.total_orders as double)
    end as cancellation_rate,
    s.total_items,
    s.revenue,
    case
        when s.sale_orders = 0 then null
        else cast(s.revenue as double) / cast(s.sale_orders as double)
    end as average_order_value,
    {{ ratio('s.revenue', 'sum(s.revenue) over ()') }} as share_of_revenue,
    -- The id is no last resort where landing has a seller twice.
    cast(
        row_number() over (
            order by s.revenue desc, s.seller_id nulls last, s.city nulls last, s.state nulls last
        ) as bigint
    ) as revenue_rank,
    case
        when s.total_price + s.total_freight = 0 then null
        else cast(s.total_freight as double) / cast(s.total_price + s.total_freight as double)
    end as freight_share,
    coalesce(d.delivered_orders, 0) as delivered_orders,
    cast(coalesce(d.late_orders, 0) as bigint) as late_orders,
    cast(d.late_orders as double) / cast(d.delivered_orders as double) as late_rate,
    d.average_delivery_days,
    coalesce(r.total_reviews, 0) as total_reviews,
    case
        when r.total_reviews = 0 then null
        else cast(r.sum_of_scores as double) / cast(r.total_reviews as double)
    end as average_review_score,
    case
        when r.total_reviews = 0 then null
        else cast(r.negative_reviews as double) / cast(r.total_reviews as double)
    end as negative_review_share
from sellers as s
left join deliveries as d on d.seller_id = s.seller_id
left join ratings as r on r.seller_id = s.seller_id
