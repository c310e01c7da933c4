-- Persons with their order history, segments and scores. Validation computed them: nothing is left to do here.

select {{ declared_columns() }}
from {{ source('staging_customer', 'persons') }}
