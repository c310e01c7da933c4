-- Order payments as text from the CSV file, cast. Negative values are errors of the source and become null.

with source as (
    select * from {{ source('landing', 'order_payments') }}
),

typed as (
    select
        order_id,
        {{ try_bigint('payment_sequential') }} as payment_sequential,
        payment_type,
        {{ try_bigint('payment_installments') }} as payment_installments,
        {{ try_money('payment_value') }} as payment_value
    from source
)

select
    order_id,
    payment_sequential,
    payment_type,
    payment_installments,
    case when payment_value < 0 then null else payment_value end as payment_value,
    case
        when payment_value is null or payment_value < 0 then false
        when payment_type is null then false
        when payment_type not in ('credit_card', 'boleto', 'voucher', 'debit_card') then false
        else true
    end as is_valid_payment
from typed
