-- Order payments as text from the CSV file, cast. Negative values are errors of the source and become null.

with source as (
    select * from {{ source('landing', 'order_payments') }}
),

typed as (
    select
        order_id,
        try_cast(trim(payment_sequential) as bigint) as payment_sequential,
        payment_type,
        try_cast(trim(payment_installments) as bigint) as payment_installments,
        try_cast(trim(payment_value) as decimal(18, 2)) as payment_value
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
