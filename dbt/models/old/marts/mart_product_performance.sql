-- One row a product: what it sells, what its buyers say, and where it stands in its category.

with products as (
    select * from {{ ref('dim_product') }}
),

sales as (
    select
        product_id,
        count(distinct order_id) as total_orders,
        count(*) as total_items,
        sum(case when order_status in ('canceled', 'unavailable') then 0 else 1 end) as sale_items,
        sum(case when order_status in ('canceled', 'unavailable') then 0 else total_amount end) as revenue,
        sum(freight_value) as total_freight,
        sum(total_amount) as total_amount,
        {{ ratio('sum(price)', 'count(price)') }} as average_price
    from {{ ref('fact_order_items') }}
    group by product_id
),

-- A review speaks of an order, so it counts once for each product of the order.
ordered_products as (
    select distinct order_id, product_id from {{ ref('fact_order_items') }}
),

ratings as (
    select
        p.product_id,
        count(r.review_score) as total_reviews,
        sum(r.review_score) as sum_of_scores,
        sum(case when r.review_score >= 4 then 1 else 0 end) as positive_reviews,
        sum(case when r.review_score <= 2 then 1 else 0 end) as negative_reviews
    from ordered_products as p
    inner join {{ ref('fact_reviews') }} as r on r.order_id = p.order_id
    group by p.product_id
),

performance as (
    select
        p.product_id,
        p.category,
        coalesce(s.total_orders, 0) as total_orders,
        coalesce(s.total_items, 0) as total_items,
        cast(coalesce(s.sale_items, 0) as bigint) as sale_items,
        cast(coalesce(try_cast(s.revenue as decimal(18, 2)), 0) as decimal(18, 2)) as revenue,
        s.total_freight,
        s.total_amount,
        s.average_price,
        coalesce(r.total_reviews, 0) as total_reviews,
        coalesce(r.sum_of_scores, 0) as sum_of_scores,
        coalesce(r.positive_reviews, 0) as positive_reviews,
        coalesce(r.negative_reviews, 0) as negative_reviews
    from products as p
    left join sales as s on s.product_id = p.product_id
    left join ratings as r on r.product_id = p.product_id
),

categories as (
    select
        category,
        try_cast(sum(revenue) as decimal(18, 2)) as category_revenue,
        cast(sum(sum_of_scores) as double) / nullif(cast(sum(total_reviews) as double), 0)
            as category_average_review_score,
        cast(row_number() over (order by sum(revenue) desc, category) as bigint) as category_rank
    from performance
    group by category
),

-- The id is no last resort where landing has a product twice.
ranked as (
    select
        *,
        cast(row_number() over (order by revenue desc, product_id nulls last, category nulls last) as bigint)
            as revenue_rank
    from performance
)

select
    p.product_id,
    p.category,
    p.total_orders,
    p.total_items,
    p.sale_items,
    p.revenue,
    p.average_price,
    case
        when p.total_amount = 0 then null
        else cast(p.total_freight as double) / cast(p.total_amount as double)
    end as freight_share,
    p.total_reviews,
    case
        when p.total_reviews = 0 then null
        else cast(p.sum_of_scores as double) / cast(p.total_reviews as double)
    end as average_review_score,
    case
        when p.total_reviews = 0 then null
        else cast(p.positive_reviews as double) / cast(p.total_reviews as double)
    end as positive_review_share,
    case
        when p.total_reviews = 0 then null
        else cast(p.negative_reviews as double) / cast(p.total_reviews as double)
    end as negative_review_share,
    p.revenue_rank,
    cast(row_number() over (partition by p.category order by p.revenue_rank) as bigint) as revenue_rank_in_category,
    {{ ratio('p.revenue', 'c.category_revenue') }} as share_of_category,
    c.category_revenue,
    c.category_rank,
    c.category_average_review_score
from ranked as p
inner join categories as c on c.category = p.category
