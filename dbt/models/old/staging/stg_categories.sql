-- Names of product categories in Portuguese and English, as text from the CSV file.

with source as (
    select * from {{ source('landing', 'categories') }}
)

select
    product_category_name,
    nullif(product_category_name_english, '') as product_category_name_english
from source
