select o.*, coalesce(t.total_items, 0) as total_items, coalesce(t.total_amount, 0) as total_amount, coalesce(p.total_payment, 0) as total_payment,
    coalesce(t.num_sellers, 0) > 1 as is_multivendor,
    abs(coalesce(t.total_amount, 0) - coalesce(p.total_payment, 0)) > {{ var('payment_tolerance') }} as has_payment_mismatch,
    case when coalesce(t.total_items, 0) = 0 then 'INVALID_NO_ITEMS'
         when o.status = 'approved' and abs(t.total_amount - p.total_payment) > {{ var('payment_tolerance') }} then 'INVALID_PAYMENT_MISMATCH'
         else 'VALID' end as order_validity
from {{ ref('stg_orders') }} o
left join {{ ref('int_order_totals') }} t using (order_id)
left join {{ ref('int_order_payments') }} p using (order_id)
