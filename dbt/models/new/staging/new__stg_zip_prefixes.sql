select
    zip_code_prefix,
    city,
    state,
    region,
    latitude,
    longitude,
    points
from {{ source('staging_fulfillment', 'zip_prefixes') }}
