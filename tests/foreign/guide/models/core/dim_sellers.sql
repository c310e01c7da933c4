select {{ dbt_utils.generate_surrogate_key(['seller_id']) }} as seller_key, seller_id as seller, state, city, current_timestamp as dbt_updated_at from {{ ref('stg_sellers') }}
