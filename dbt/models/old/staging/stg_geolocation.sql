-- Points of zip prefixes as text from the CSV file, cast. A table, because the file is large and read often.

with source as (
    select * from {{ source('landing', 'geolocation') }}
)

select
    {{ trimmed('geolocation_zip_code_prefix') }} as geolocation_zip_code_prefix,
    {{ try_double('geolocation_lat') }} as geolocation_lat,
    {{ try_double('geolocation_lng') }} as geolocation_lng,
    geolocation_city,
    upper({{ trimmed('geolocation_state') }}) as geolocation_state
from source
