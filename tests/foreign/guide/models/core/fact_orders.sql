select {{ dbt_utils.star(ref('int_orders_enriched'), except=['delivered_at']) }}, current_timestamp as dbt_updated_at from {{ ref('int_orders_enriched') }}
