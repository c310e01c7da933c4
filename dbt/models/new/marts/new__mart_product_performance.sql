-- One row a product: what it sells, what its buyers say, and where it stands in its category.

with sales as (
    select
        oi.product_id,
        count(distinct oi.order_id) as total_orders,
        count(*) as total_items,
        count(*) filter (where o.is_sale) as sale_items,
        sum(oi.total_amount) filter (where o.is_sale) as revenue,
        {{ ratio('sum(oi.price)', 'count(oi.price)') }} as average_price,
        {{ ratio('sum(oi.freight_value)', 'sum(oi.total_amount)') }} as freight_share
    from {{ ref('new__fact_order_items') }} as oi
    inner join {{ ref('new__fact_orders') }} as o on o.order_id = oi.order_id
    group by oi.product_id
),

-- A review speaks of an order, so it counts once for each product of the order.
ordered_products as (
    select distinct order_id, product_id from {{ ref('new__fact_order_items') }}
),

ratings as (
    select
        p.product_id,
        count(r.review_score) as total_reviews,
        sum(r.review_score) as sum_of_scores,
        count(*) filter (where r.is_positive) as positive_reviews,
        count(*) filter (where r.is_negative) as negative_reviews
    from ordered_products as p
    inner join {{ ref('new__fact_reviews') }} as r on r.order_id = p.order_id
    group by p.product_id
),

performance as (
    select
        p.product_id,
        p.category,
        coalesce(s.total_orders, 0) as total_orders,
        coalesce(s.total_items, 0) as total_items,
        coalesce(s.sale_items, 0) as sale_items,
        cast(coalesce(s.revenue, 0) as decimal(18, 2)) as revenue,
        s.average_price,
        s.freight_share,
        coalesce(r.total_reviews, 0) as total_reviews,
        r.sum_of_scores,
        r.positive_reviews,
        r.negative_reviews
    from {{ ref('new__dim_product') }} as p
    left join sales as s on s.product_id = p.product_id
    left join ratings as r on r.product_id = p.product_id
),

categories as (
    select
        category,
        cast(sum(revenue) as decimal(18, 2)) as category_revenue,
        {{ ratio('sum(sum_of_scores)', 'sum(total_reviews)') }} as category_average_review_score,
        cast(row_number() over (order by sum(revenue) desc, category) as bigint) as category_rank
    from performance
    group by category
)

select
    p.product_id,
    p.category,
    p.total_orders,
    p.total_items,
    p.sale_items,
    p.revenue,
    p.average_price,
    p.freight_share,
    p.total_reviews,
    {{ ratio('p.sum_of_scores', 'p.total_reviews') }} as average_review_score,
    {{ ratio('p.positive_reviews', 'p.total_reviews') }} as positive_review_share,
    {{ ratio('p.negative_reviews', 'p.total_reviews') }} as negative_review_share,
    cast(row_number() over (order by p.revenue desc, p.product_id nulls last) as bigint) as revenue_rank,
    cast(
        row_number() over (partition by p.category order by p.revenue desc, p.product_id nulls last) as bigint
    ) as revenue_rank_in_category,
    {{ ratio('p.revenue', 'c.category_revenue') }} as share_of_category,
    c.category_revenue,
    c.category_rank,
    c.category_average_review_score
from performance as p
inner join categories as c on c.category = p.category
