-- One row a seller.

select
    {{ surrogate_key(['seller_id']) }} as seller_key,
    seller_id,
    zip_code_prefix,
    city,
    state,
    region,
    {{ date_key('first_order_at') }} as first_order_date_key,
    {{ date_key('last_order_at') }} as last_order_date_key,
    tenure_days
from {{ ref('new__int_sellers') }}
