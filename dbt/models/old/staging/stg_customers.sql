-- Customers as text from the CSV file. The source gives each order a customer of its own.

with source as (
    select * from {{ source('landing', 'customers') }}
)

select
    customer_id,
    customer_unique_id,
    {{ trimmed('customer_zip_code_prefix') }} as customer_zip_code_prefix,
    customer_city,
    upper({{ trimmed('customer_state') }}) as customer_state
from source
