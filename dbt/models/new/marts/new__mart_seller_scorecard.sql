-- One row a seller: revenue, cancellations, punctuality, ratings and tenure.

-- A delivery and a review speak of an order, so they count once for each of its sellers.
with orders_of_sellers as (
    select distinct order_id, seller_id from {{ ref('new__fact_order_items') }}
),

deliveries as (
    select
        s.seller_id,
        count(*) as delivered_orders,
        count(*) filter (where d.is_late) as late_orders,
        avg(d.delivery_days) as average_delivery_days
    from orders_of_sellers as s
    inner join {{ ref('new__int_deliveries') }} as d on d.order_id = s.order_id
    where d.is_delivered
    group by s.seller_id
),

ratings as (
    select
        s.seller_id,
        count(r.review_score) as total_reviews,
        sum(r.review_score) as sum_of_scores,
        count(*) filter (where r.is_negative) as negative_reviews
    from orders_of_sellers as s
    inner join {{ ref('new__fact_reviews') }} as r on r.order_id = s.order_id
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
    {{ ratio('s.canceled_orders', 's.total_orders') }} as cancellation_rate,
    s.total_items,
    s.revenue,
    {{ ratio('s.revenue', 's.sale_orders') }} as average_order_value,
    {{ ratio('s.revenue', 'sum(s.revenue) over ()') }} as share_of_revenue,
    cast(row_number() over (order by s.revenue desc, s.seller_id nulls last) as bigint) as revenue_rank,
    {{ ratio('s.total_freight', 's.total_price + s.total_freight') }} as freight_share,
    coalesce(d.delivered_orders, 0) as delivered_orders,
    coalesce(d.late_orders, 0) as late_orders,
    {{ ratio('d.late_orders', 'd.delivered_orders') }} as late_rate,
    d.average_delivery_days,
    coalesce(r.total_reviews, 0) as total_reviews,
    {{ ratio('r.sum_of_scores', 'r.total_reviews') }} as average_review_score,
    {{ ratio('r.negative_reviews', 'r.total_reviews') }} as negative_review_share
from {{ ref('new__int_sellers') }} as s
left join deliveries as d on d.seller_id = s.seller_id
left join ratings as r on r.seller_id = s.seller_id
