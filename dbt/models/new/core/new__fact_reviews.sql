-- One row a review of an order; a review id may stand on several orders.

select
    {{ surrogate_key(['r.review_id', 'r.order_id']) }} as review_key,
    r.review_id,
    r.order_id,
    o.customer_id,
    c.customer_unique_id,
    r.review_score,
    r.is_positive,
    r.is_negative,
    r.sentiment,
    r.review_comment_title,
    r.review_comment_message,
    r.has_comment,
    r.review_creation_date,
    r.review_answer_timestamp,
    r.response_hours,
    {{ date_key('r.review_creation_date') }} as creation_date_key,
    {{ date_key('o.order_purchase_timestamp') }} as purchase_date_key,
    r.order_month
from {{ source('staging_marketplace', 'order_reviews') }} as r
inner join {{ ref('new__int_orders_enriched') }} as o on o.order_id = r.order_id
left join {{ source('staging_customer', 'customers') }} as c on c.customer_id = o.customer_id
where {{ in_window('r.order_month') }}
