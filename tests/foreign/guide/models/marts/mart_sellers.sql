select seller_id, count(*) as sold, sum(price) as revenue, current_timestamp as dbt_updated_at from {{ ref('fact_order_items') }} group by 1
