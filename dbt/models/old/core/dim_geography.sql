-- One row a zip prefix: the mean of its points and the city and state that most of them name.

with points as (
    select * from {{ ref('stg_geolocation') }}
),

centres as (
    select
        geolocation_zip_code_prefix as zip_code_prefix,
        {{ mean_coordinate('geolocation_lat') }} as latitude,
        {{ mean_coordinate('geolocation_lng') }} as longitude,
        count(*) as points
    from points
    group by geolocation_zip_code_prefix
),

cities as (
    select zip_code_prefix, city
    from (
        select geolocation_zip_code_prefix as zip_code_prefix, geolocation_city as city, count(*) as points
        from points
        group by geolocation_zip_code_prefix, geolocation_city
    ) as named
    qualify row_number() over (partition by zip_code_prefix order by points desc, city nulls last) = 1
),

states as (
    select zip_code_prefix, state
    from (
        select geolocation_zip_code_prefix as zip_code_prefix, geolocation_state as state, count(*) as points
        from points
        group by geolocation_zip_code_prefix, geolocation_state
    ) as named
    qualify row_number() over (partition by zip_code_prefix order by points desc, state nulls last) = 1
)

select
    {{ surrogate_key(['p.zip_code_prefix']) }} as geography_key,
    p.zip_code_prefix,
    c.city,
    s.state,
    case
        when s.state in ('AC', 'AM', 'AP', 'PA', 'RO', 'RR', 'TO') then 'North'
        when s.state in ('AL', 'BA', 'CE', 'MA', 'PB', 'PE', 'PI', 'RN', 'SE') then 'Northeast'
        when s.state in ('DF', 'GO', 'MS', 'MT') then 'Central-West'
        when s.state in ('ES', 'MG', 'RJ', 'SP') then 'Southeast'
        when s.state in ('PR', 'RS', 'SC') then 'South'
    end as region,
    p.latitude,
    p.longitude,
    p.points
from centres as p
inner join cities as c on c.zip_code_prefix = p.zip_code_prefix
inner join states as s on s.zip_code_prefix = p.zip_code_prefix
