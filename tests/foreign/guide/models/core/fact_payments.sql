select order_id, payment_no, payment_type, installments, amount from {{ ref('stg_payments') }}
