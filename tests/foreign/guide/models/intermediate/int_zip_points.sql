select zip, avg(lat) as lat, avg(lng) as lng, count(*) as points from {{ ref('stg_geo') }} group by 1
