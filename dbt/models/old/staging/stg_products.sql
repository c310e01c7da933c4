-- Products as text from the CSV file, cast. Two columns are misspelt in the source.

with source as (
    select * from {{ source('landing', 'products') }}
)

select
    product_id,
    nullif(product_category_name, '') as product_category_name,
    {{ try_bigint('product_name_lenght') }} as product_name_length,
    {{ try_bigint('product_description_lenght') }} as product_description_length,
    {{ try_bigint('product_photos_qty') }} as product_photos_qty,
    {{ try_bigint('product_weight_g') }} as product_weight_g,
    {{ try_bigint('product_length_cm') }} as product_length_cm,
    {{ try_bigint('product_height_cm') }} as product_height_cm,
    {{ try_bigint('product_width_cm') }} as product_width_cm
from source
