-- One row a person: where they live, what they are worth and which segments they belong to.

with customers as (
    select * from {{ ref('int_customers') }}
)

select
    {{ surrogate_key(['customer_unique_id']) }} as customer_key,
    customer_unique_id,
    zip_code_prefix,
    city,
    state,
    {{ region_of_state('state') }} as region,
    {{ date_key('first_order_at') }} as first_order_date_key,
    {{ date_key('last_order_at') }} as last_order_date_key,
    cohort_month,
    total_orders,
    total_spent,
    average_review_score,
    case
        when total_orders > 10 and total_spent > 1000 then 'VIP'
        when total_orders > 5 then 'LOYAL'
        when total_orders = 1 then 'ONE_TIME'
        else 'NEW'
    end as customer_segment,
    satisfaction_tier,
    rfm_score,
    rfm_segment,
    case
        when last_order_at is null then null
        when {{ date_diff('day', 'last_order_at', as_of()) }} > 180 then true
        else false
    end as is_churned,
    case
        when total_spent >= 1000 then 'HIGH'
        when total_spent >= 200 then 'MEDIUM'
        else 'LOW'
    end as lifetime_value_tier
from customers
