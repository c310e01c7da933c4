select
    {{ handy.key(['ride_id']) }} as ride_key,
    ride_id,
    bicycle_id,
    started_at,
    minutes,
    case when minutes < 10 then 'short' when minutes < 30 then 'usual' else 'long' end as ride_length,
    minutes > {{ var('late_after') }} as is_late,
    fare,
    {{ handy.loaded() }}
from {{ ref('prep_rides') }}
