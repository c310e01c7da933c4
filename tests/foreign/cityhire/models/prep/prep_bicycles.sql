select bicycle_id, lower(model) as model, cast(bought_on as date) as bought_on from {{ source('raw', 'bicycles') }}
