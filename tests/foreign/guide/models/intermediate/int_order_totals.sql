select order_id, count(*) as total_items, count(distinct seller_id) as num_sellers, sum(price + freight) as total_amount from {{ ref('stg_items') }} group by 1
