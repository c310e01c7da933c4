-- Products with their category. Validation computed it; two columns are misspelt in the source.

select {{ declared_columns({
    'product_name_length': 'product_name_lenght',
    'product_description_length': 'product_description_lenght',
}) }}
from {{ source('staging_marketplace', 'products') }}
