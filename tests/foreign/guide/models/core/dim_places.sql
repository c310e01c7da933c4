select zip, lat, lng, points from {{ ref('int_zip_points') }}
