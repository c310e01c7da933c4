-- One row a product category: those with a translation, and those that products have besides.

with names as (
    select category, product_category_name, product_id from {{ ref('new__int_products') }}
    union all
    select product_category_name_english, product_category_name, null from {{ source('staging_marketplace', 'categories') }}
)

select
    {{ surrogate_key(['category']) }} as category_key,
    category,
    min(product_category_name) as product_category_name,
    count(product_id) as total_products
from names
group by category
