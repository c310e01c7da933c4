select
    order_id,
    order_item_id,
    product_id,
    seller_id,
    shipping_limit_date,
    price,
    freight_value,
    total_amount,
    order_month
from {{ source('staging_sales', 'order_items') }}
