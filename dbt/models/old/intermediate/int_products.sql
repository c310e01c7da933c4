-- Products with their category in English and what follows from their measures.

with products as (
    select * from {{ ref('stg_products') }}
),

categories as (
    select * from {{ ref('stg_categories') }}
)

select
    p.product_id,
    p.product_category_name,
    case
        when c.product_category_name_english is not null then c.product_category_name_english
        when p.product_category_name is not null then p.product_category_name
        else 'unknown'
    end as category,
    p.product_name_length,
    p.product_description_length,
    p.product_photos_qty,
    p.product_weight_g,
    p.product_length_cm,
    p.product_height_cm,
    p.product_width_cm,
    -- Three sides of more than 20 km may make a number that no bigint holds.
    case
        when p.product_length_cm between -2000000 and 2000000
            and p.product_height_cm between -2000000 and 2000000
            and p.product_width_cm between -2000000 and 2000000
            then p.product_length_cm * p.product_height_cm * p.product_width_cm
    end as volume_cm3,
    case
        when p.product_weight_g > 0 and p.product_length_cm > 0
            and p.product_height_cm > 0 and p.product_width_cm > 0
            then true
        else false
    end as is_complete
from products as p
left join categories as c on c.product_category_name = p.product_category_name
