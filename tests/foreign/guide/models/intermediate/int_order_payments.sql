select order_id, sum(amount) as total_payment, count(*) as payments from {{ ref('stg_payments') }} group by 1
