-- Orders with their totals and flags. Validation computed them: nothing is left to do here.

select {{ declared_columns() }}
from {{ source('staging_sales', 'orders') }}
where {{ in_window('order_month') }}
