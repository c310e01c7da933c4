{% snapshot fleet_history %}
    {{ config(target_schema='history', unique_key='bicycle_id', strategy='check', check_cols=['model']) }}
    select bicycle_id, model from {{ ref('prep_bicycles') }}
{% endsnapshot %}
