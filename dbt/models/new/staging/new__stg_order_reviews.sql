select
    review_id,
    order_id,
    review_score,
    is_positive,
    is_negative,
    sentiment,
    review_comment_title,
    review_comment_message,
    has_comment,
    review_creation_date,
    review_answer_timestamp,
    response_hours,
    order_month
from {{ source('staging_marketplace', 'order_reviews') }}
