-- One row a product.

select
    {{ surrogate_key(['product_id']) }} as product_key,
    product_id,
    {{ surrogate_key(['category']) }} as category_key,
    category,
    product_name_length,
    product_description_length,
    product_photos_qty,
    product_weight_g,
    product_length_cm,
    product_height_cm,
    product_width_cm,
    volume_cm3,
    is_complete
from {{ ref('new__int_products') }}
