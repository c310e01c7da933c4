-- Persons with the history of their orders and what follows from it: segments, RFM scores, churn, value. The
-- source gives each order a customer of its own; a person is a customer_unique_id.

with customers as (
    select * from {{ ref('stg_customers') }}
),

orders as (
    select * from {{ ref('int_orders_enriched') }}
),

reviews as (
    select
        order_id,
        sum(review_score) as sum_of_scores,
        count(review_score) as number_of_scores
    from {{ ref('stg_order_reviews') }}
    group by order_id
),

purchases as (
    select
        c.customer_unique_id,
        c.customer_id,
        c.customer_zip_code_prefix,
        c.customer_city,
        c.customer_state,
        o.order_id,
        o.order_purchase_timestamp,
        case when o.order_status in ('canceled', 'unavailable') then 0 else o.total_amount end as revenue,
        case when o.order_id is null or o.order_status in ('canceled', 'unavailable') then 0 else 1 end as is_sale,
        r.sum_of_scores,
        r.number_of_scores
    from customers as c
    left join orders as o on o.customer_id = c.customer_id
    left join reviews as r on r.order_id = o.order_id
),

history as (
    select
        customer_unique_id,
        count(order_id) as total_orders,
        cast(coalesce(try_cast(sum(revenue) as decimal(18, 2)), 0) as decimal(18, 2)) as total_spent,
        {{ ratio('sum(revenue)', 'sum(is_sale)') }} as average_order_value,
        {{ ratio('sum(sum_of_scores)', 'sum(number_of_scores)') }} as average_review_score,
        min(order_purchase_timestamp) as first_order_at,
        max(order_purchase_timestamp) as last_order_at,
        {{ date_diff('day', 'max(order_purchase_timestamp)', as_of()) }} as days_since_last_order,
        count(distinct cast(order_purchase_timestamp as date)) as order_days
    from purchases
    group by customer_unique_id
),

-- Where the person lived when the latest order was placed.
addresses as (
    select
        customer_unique_id,
        customer_zip_code_prefix as zip_code_prefix,
        customer_city as city,
        customer_state as state
    from purchases
    qualify row_number() over (
        partition by customer_unique_id
        order by order_purchase_timestamp desc nulls last, customer_id desc, order_id desc
    ) = 1
),

-- Quintiles over the persons who have ordered; equal values are told apart by the key.
scores as (
    select
        customer_unique_id,
        cast(
            ntile(5) over (order by last_order_at nulls last, customer_unique_id nulls last) as bigint
        ) as recency_score,
        cast(ntile(5) over (order by total_orders, customer_unique_id nulls last) as bigint) as frequency_score,
        cast(ntile(5) over (order by total_spent, customer_unique_id nulls last) as bigint) as monetary_score
    from history
    where total_orders > 0
)

select
    h.customer_unique_id,
    a.zip_code_prefix,
    a.city,
    a.state,
    {{ region_of_state('a.state') }} as region,
    h.total_orders,
    h.total_spent,
    h.average_order_value,
    h.average_review_score,
    h.first_order_at,
    h.last_order_at,
    h.days_since_last_order,
    {{ date_diff('day', 'h.first_order_at', 'h.last_order_at') }} as lifetime_days,
    cast(date_trunc('month', h.first_order_at) as date) as cohort_month,
    case when h.order_days > 1 then true else false end as has_returned,
    case
        when h.total_orders > 10 and h.total_spent > 1000 then 'VIP'
        when h.total_orders > 5 then 'LOYAL'
        when h.total_orders = 1 then 'ONE_TIME'
        else 'NEW'
    end as customer_segment,
    case
        when h.total_orders > 10 and h.days_since_last_order < 30 and h.total_spent > 1000 then
            case
                when h.average_review_score >= 4 then 'VIP_HAPPY'
                else 'VIP_UNHAPPY'
            end
        when h.total_orders > 5 and h.days_since_last_order < 60 then
            case
                when h.order_days > 1 then 'LOYAL_RETURNER'
                else 'LOYAL_NEW'
            end
        else 'STANDARD'
    end as satisfaction_tier,
    s.recency_score,
    s.frequency_score,
    s.monetary_score,
    s.recency_score * 100 + s.frequency_score * 10 + s.monetary_score as rfm_score,
    case
        when s.customer_unique_id is null then null
        when s.recency_score >= 4 and s.frequency_score >= 4 and s.monetary_score >= 4 then 'Champions'
        when s.frequency_score >= 4 then 'Loyal'
        when s.recency_score >= 4 and s.frequency_score between 2 and 3 then 'Potential'
        when s.recency_score >= 4 then 'New'
        when s.recency_score <= 2 and s.frequency_score >= 3 then 'At Risk'
        when s.recency_score <= 2 then 'Hibernating'
        else 'Regular'
    end as rfm_segment,
    case
        when h.days_since_last_order > 180 then true
        when h.days_since_last_order <= 180 then false
    end as is_churned,
    case
        when h.total_spent >= 1000 then 'HIGH'
        when h.total_spent >= 200 then 'MEDIUM'
        else 'LOW'
    end as lifetime_value_tier
from history as h
inner join addresses as a on a.customer_unique_id = h.customer_unique_id
left join scores as s on s.customer_unique_id = h.customer_unique_id
