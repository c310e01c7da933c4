select payment_type, count(*) as payments, sum(amount) as amount from {{ ref('fact_payments') }} group by 1
