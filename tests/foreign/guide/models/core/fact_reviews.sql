select review_id, order_id, score, score >= 4 as is_happy, created_at from {{ ref('stg_reviews') }}
