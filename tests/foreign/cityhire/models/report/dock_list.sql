select d.dock_id, d.name, coalesce(z.zone, 'elsewhere') as zone
from {{ source('raw', 'docks') }} as d
left join {{ ref('zones') }} as z on d.postcode = z.postcode
