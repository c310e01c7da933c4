select bicycle_id, model, bought_on, {{ handy.loaded() }} from {{ ref('prep_bicycles') }}
