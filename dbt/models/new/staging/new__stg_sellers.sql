select
    seller_id,
    seller_zip_code_prefix,
    seller_city,
    seller_state,
    region
from {{ source('staging_marketplace', 'sellers') }}
