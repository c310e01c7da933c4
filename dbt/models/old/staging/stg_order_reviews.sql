-- Reviews as text from the CSV file, cast. A score outside 1 to 5 is an error of the source and becomes null.

with source as (
    select * from {{ source('landing', 'order_reviews') }}
),

typed as (
    select
        review_id,
        order_id,
        {{ try_bigint('review_score') }} as review_score,
        review_comment_title,
        review_comment_message,
        {{ try_timestamp('review_creation_date') }} as review_creation_date,
        {{ try_timestamp('review_answer_timestamp') }} as review_answer_timestamp
    from source
),

validated as (
    select
        review_id,
        order_id,
        case when review_score between 1 and 5 then review_score end as review_score,
        review_comment_title,
        review_comment_message,
        review_creation_date,
        review_answer_timestamp
    from typed
)

select
    review_id,
    order_id,
    review_score,
    case
        when review_score >= 4 then 'positive'
        when review_score = 3 then 'neutral'
        when review_score <= 2 then 'negative'
    end as sentiment,
    nullif(review_comment_title, '') as review_comment_title,
    nullif(review_comment_message, '') as review_comment_message,
    case
        when review_comment_message is null then false
        when {{ is_blank('review_comment_message') }} then false
        else true
    end as has_comment,
    review_creation_date,
    review_answer_timestamp
from validated
