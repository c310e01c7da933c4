select date_trunc('month', purchased_at) as month, sum(total_amount) as revenue, count(*) as orders from {{ ref('fact_orders') }} where order_validity = 'VALID' group by 1
