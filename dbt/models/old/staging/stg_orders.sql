-- Orders as text from the CSV file, cast and cleaned. A cell that cannot be cast becomes null, and a
-- delivery date that lies before the purchase is not believed.

with source as (
    select * from {{ source('landing', 'orders') }}
),

typed as (
    select
        order_id,
        customer_id,
        lower({{ trimmed('order_status') }}) as order_status,
        {{ try_timestamp('order_purchase_timestamp') }} as order_purchase_timestamp,
        {{ try_timestamp('order_approved_at') }} as order_approved_at,
        {{ try_timestamp('order_delivered_carrier_date') }} as order_delivered_carrier_date,
        {{ try_timestamp('order_delivered_customer_date') }} as order_delivered_customer_date,
        {{ try_timestamp('order_estimated_delivery_date') }} as order_estimated_delivery_date
    from source
)

select
    order_id,
    customer_id,
    order_status,
    order_purchase_timestamp,
    order_approved_at,
    order_delivered_carrier_date,
    case
        when order_delivered_customer_date < order_purchase_timestamp then null
        else order_delivered_customer_date
    end as validated_delivery_date,
    order_estimated_delivery_date
from typed
