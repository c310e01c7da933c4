select category, count(*) as sold, sum(price) as revenue from {{ ref('fact_order_items') }} join {{ ref('dim_products') }} using (product_id) group by 1
