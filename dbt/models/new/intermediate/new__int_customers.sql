-- Persons with their order history, segments and scores. Validation computed them: nothing is left to do here.

select * from {{ ref('new__stg_persons') }}
