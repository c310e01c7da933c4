-- One row a product category: those with a translation, those that products have without one, and `unknown`.

with products as (
    select
        category,
        product_category_name,
        1 as is_product
    from {{ ref('int_products') }}
),

translations as (
    select
        product_category_name_english as category,
        product_category_name,
        0 as is_product
    from {{ ref('stg_categories') }}
    where product_category_name_english is not null
),

names as (
    select * from products
    union all
    select * from translations
)

select
    {{ surrogate_key(['category']) }} as category_key,
    category,
    min(product_category_name) as product_category_name,
    cast(sum(is_product) as bigint) as total_products
from names
group by category
