select ride_id, bicycle_id, dock_id, cast(started_at as timestamp) as started_at, minutes, fare
from {{ source('raw', 'rides') }}
