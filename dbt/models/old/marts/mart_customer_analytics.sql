-- One row a customer segment, RFM segment and state, over the persons who have ordered.

with customers as (
    select
        customer_unique_id,
        state,
        total_orders,
        total_spent,
        days_since_last_order,
        rfm_segment,
        case when has_returned then 1 else 0 end as is_returning,
        case when days_since_last_order > 180 then 1 else 0 end as is_churned,
        case
            when total_orders > 10 and total_spent > 1000 then 'VIP'
            when total_orders > 5 then 'LOYAL'
            when total_orders = 1 then 'ONE_TIME'
            else 'NEW'
        end as customer_segment,
        case
            when total_spent >= 1000 then 'HIGH'
            when total_spent >= 200 then 'MEDIUM'
            else 'LOW'
        end as lifetime_value_tier
    from {{ ref('int_customers') }}
    where total_orders > 0
),

reviews as (
    select
        customer_unique_id,
        sum(review_score) as sum_of_scores,
        count(review_score) as number_of_scores
    from {{ ref('fact_reviews') }}
    group by customer_unique_id
),

segments as (
    select
        c.customer_segment,
        c.rfm_segment,
        c.state,
        count(*) as customers,
        sum(c.is_returning) as returning_customers,
        sum(c.is_churned) as churned_customers,
        sum(case when c.lifetime_value_tier = 'HIGH' then 1 else 0 end) as high_value_customers,
        sum(case when c.lifetime_value_tier = 'MEDIUM' then 1 else 0 end) as medium_value_customers,
        sum(case when c.lifetime_value_tier = 'LOW' then 1 else 0 end) as low_value_customers,
        sum(c.total_orders) as total_orders,
        try_cast(sum(c.total_spent) as decimal(18, 2)) as total_spent,
        avg(c.days_since_last_order) as average_days_since_last_order,
        sum(r.sum_of_scores) as sum_of_scores,
        sum(r.number_of_scores) as number_of_scores
    from customers as c
    left join reviews as r on r.customer_unique_id = c.customer_unique_id
    group by c.customer_segment, c.rfm_segment, c.state
)

select
    customer_segment,
    rfm_segment,
    state,
    customers,
    cast(returning_customers as bigint) as returning_customers,
    cast(churned_customers as bigint) as churned_customers,
    cast(churned_customers as double) / cast(customers as double) as churn_rate,
    cast(high_value_customers as bigint) as high_value_customers,
    cast(medium_value_customers as bigint) as medium_value_customers,
    cast(low_value_customers as bigint) as low_value_customers,
    cast(total_orders as bigint) as total_orders,
    total_spent,
    cast(total_orders as double) / cast(customers as double) as orders_per_customer,
    cast(total_spent as double) / cast(customers as double) as spent_per_customer,
    {{ ratio('total_spent', 'sum(total_spent) over ()') }} as share_of_spending,
    average_days_since_last_order,
    case
        when number_of_scores = 0 then null
        else cast(sum_of_scores as double) / cast(number_of_scores as double)
    end as average_review_score
from segments
order by customer_segment, rfm_segment, state
