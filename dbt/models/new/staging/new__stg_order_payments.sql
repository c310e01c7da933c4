select
    order_id,
    payment_sequential,
    payment_type,
    payment_installments,
    payment_value,
    is_instalment,
    order_month
from {{ source('staging_sales', 'order_payments') }}
