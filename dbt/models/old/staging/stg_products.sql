-- Products as text from the CSV file, cast. Two columns are misspelt in the source.

with source as (
    select * from {{ source('landing', 'products') }}
)

select
    product_id,
    nullif(product_category_name, '') as product_category_name,
    try_cast(trim(product_name_lenght) as bigint) as product_name_length,
    try_cast(trim(product_description_lenght) as bigint) as product_description_length,
    try_cast(trim(product_photos_qty) as bigint) as product_photos_qty,
    try_cast(trim(product_weight_g) as bigint) as product_weight_g,
    try_cast(trim(product_length_cm) as bigint) as product_length_cm,
    try_cast(trim(product_height_cm) as bigint) as product_height_cm,
    try_cast(trim(product_width_cm) as bigint) as product_width_cm
from source
