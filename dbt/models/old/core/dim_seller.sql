-- One row a seller: where they are and since when they sell.

with sellers as (
    select * from {{ ref('int_sellers') }}
)

select
    {{ surrogate_key(['seller_id']) }} as seller_key,
    seller_id,
    zip_code_prefix,
    city,
    state,
    {{ region_of_state('state') }} as region,
    {{ date_key('first_order_at') }} as first_order_date_key,
    {{ date_key('last_order_at') }} as last_order_date_key,
    {{ date_diff('day', 'first_order_at', as_of()) }} as tenure_days
from sellers
