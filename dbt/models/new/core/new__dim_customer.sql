-- One row a person.

select
    {{ surrogate_key(['customer_unique_id']) }} as customer_key,
    customer_unique_id,
    zip_code_prefix,
    city,
    state,
    region,
    {{ date_key('first_order_at') }} as first_order_date_key,
    {{ date_key('last_order_at') }} as last_order_date_key,
    cohort_month,
    total_orders,
    total_spent,
    average_review_score,
    customer_segment,
    satisfaction_tier,
    rfm_score,
    rfm_segment,
    is_churned,
    lifetime_value_tier
from {{ ref('new__int_customers') }}
