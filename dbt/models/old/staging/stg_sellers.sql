-- Sellers as text from the CSV file.

with source as (
    select * from {{ source('landing', 'sellers') }}
)

select
    seller_id,
    {{ trimmed('seller_zip_code_prefix') }} as seller_zip_code_prefix,
    seller_city,
    upper({{ trimmed('seller_state') }}) as seller_state
from source
