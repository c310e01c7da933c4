-- Points of zip prefixes as text from the CSV file, cast. A table, because the file is large and read often.

with source as (
    select * from {{ source('landing', 'geolocation') }}
)

select
    trim(geolocation_zip_code_prefix) as geolocation_zip_code_prefix,
    try_cast(trim(geolocation_lat) as double) as geolocation_lat,
    try_cast(trim(geolocation_lng) as double) as geolocation_lng,
    geolocation_city,
    upper(trim(geolocation_state)) as geolocation_state
from source
