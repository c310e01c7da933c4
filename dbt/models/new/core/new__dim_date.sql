-- The calendar, from the first year of the business to the end of the year of the last purchase.

{{ date_dimension("date '2016-01-01'", as_of()) }}
