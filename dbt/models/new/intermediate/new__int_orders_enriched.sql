-- Orders with their totals and flags. Validation computed them: nothing is left to do here.

select * from {{ ref('new__stg_orders') }}
where {{ in_window('order_month') }}
