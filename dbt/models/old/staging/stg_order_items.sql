-- Order items as text from the CSV file, cast. Negative amounts are errors of the source and become null.

with source as (
    select * from {{ source('landing', 'order_items') }}
),

typed as (
    select
        order_id,
        {{ try_bigint('order_item_id') }} as order_item_id,
        product_id,
        seller_id,
        {{ try_timestamp('shipping_limit_date') }} as shipping_limit_date,
        {{ try_money('price') }} as price,
        {{ try_money('freight_value') }} as freight_value
    from source
),

validated as (
    select
        order_id,
        order_item_id,
        product_id,
        seller_id,
        shipping_limit_date,
        case when price < 0 then null else price end as price,
        case when freight_value < 0 then null else freight_value end as freight_value
    from typed
)

select
    *,
    try_cast(price + freight_value as decimal(18, 2)) as total_amount
from validated
