-- One row a review of an order; a review id may stand on several orders. A review whose order is not there has
-- no date and no customer: it stays out.

with reviews as (
    select * from {{ ref('stg_order_reviews') }}
),

orders as (
    select * from {{ ref('int_orders_enriched') }}
),

customers as (
    select * from {{ ref('stg_customers') }}
)

select
    {{ surrogate_key(['r.review_id', 'r.order_id']) }} as review_key,
    r.review_id,
    r.order_id,
    o.customer_id,
    c.customer_unique_id,
    r.review_score,
    case when r.review_score >= 4 then true when r.review_score < 4 then false end as is_positive,
    case when r.review_score <= 2 then true when r.review_score > 2 then false end as is_negative,
    r.sentiment,
    r.review_comment_title,
    r.review_comment_message,
    r.has_comment,
    r.review_creation_date,
    r.review_answer_timestamp,
    {{ whole_hours('r.review_creation_date', 'r.review_answer_timestamp') }} as response_hours,
    {{ date_key('r.review_creation_date') }} as creation_date_key,
    {{ date_key('o.order_purchase_timestamp') }} as purchase_date_key,
    o.order_month
from reviews as r
inner join orders as o on o.order_id = r.order_id
left join customers as c on c.customer_id = o.customer_id
