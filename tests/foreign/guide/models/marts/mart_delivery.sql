select performance, count(*) as orders, avg(days) as days from {{ ref('int_deliveries') }} group by 1
