-- One row a customer segment, RFM segment and state, over the persons who have ordered. Segments, tiers and churn
-- were decided before; here they are counted.

with customers as (
    select * from {{ ref('new__int_customers') }}
    where rfm_segment is not null
),

reviews as (
    select
        customer_unique_id,
        sum(review_score) as sum_of_scores,
        count(review_score) as number_of_scores
    from {{ ref('new__fact_reviews') }}
    group by customer_unique_id
),

segments as (
    select
        c.customer_segment,
        c.rfm_segment,
        c.state,
        count(*) as customers,
        count(*) filter (where c.has_returned) as returning_customers,
        count(*) filter (where c.is_churned) as churned_customers,
        cast(sum(c.total_orders) as bigint) as total_orders,
        cast(sum(c.total_spent) as decimal(18, 2)) as total_spent,
        avg(c.days_since_last_order) as average_days_since_last_order,
        {{ ratio('sum(r.sum_of_scores)', 'sum(r.number_of_scores)') }} as average_review_score
    from customers as c
    left join reviews as r on r.customer_unique_id = c.customer_unique_id
    group by c.customer_segment, c.rfm_segment, c.state
),

value_tiers as (
    select *
    from (select customer_segment, rfm_segment, state, lifetime_value_tier from customers)
    pivot (
        count(*)
        for lifetime_value_tier in ('HIGH', 'MEDIUM', 'LOW')
    )
)

select
    s.customer_segment,
    s.rfm_segment,
    s.state,
    s.customers,
    s.returning_customers,
    s.churned_customers,
    {{ ratio('s.churned_customers', 's.customers') }} as churn_rate,
    {{ pivoted_count('v.high') }} as high_value_customers,
    {{ pivoted_count('v.medium') }} as medium_value_customers,
    {{ pivoted_count('v.low') }} as low_value_customers,
    s.total_orders,
    s.total_spent,
    {{ ratio('s.total_orders', 's.customers') }} as orders_per_customer,
    {{ ratio('s.total_spent', 's.customers') }} as spent_per_customer,
    {{ ratio('s.total_spent', 'sum(s.total_spent) over ()') }} as share_of_spending,
    s.average_days_since_last_order,
    s.average_review_score
from segments as s
inner join value_tiers as v
    on v.customer_segment = s.customer_segment and v.rfm_segment = s.rfm_segment and v.state = s.state
order by s.customer_segment, s.rfm_segment, s.state
