-- One row a zip prefix.

select
    {{ surrogate_key(['zip_code_prefix']) }} as geography_key,
    zip_code_prefix,
    city,
    state,
    region,
    latitude,
    longitude,
    points
from {{ source('staging_fulfillment', 'zip_prefixes') }}
