select
    cast(started_at as date) as ride_day,
    count(*) as rides,
    count(*) filter (where minutes > {{ var('late_after') }}) as late_rides,
    sum(fare) as fares
from {{ ref('prep_rides') }}
group by 1
