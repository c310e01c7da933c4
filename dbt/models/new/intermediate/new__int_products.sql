-- Products with their category. Validation computed it: nothing is left to do here.

select * from {{ ref('new__stg_products') }}
