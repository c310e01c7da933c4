select customer_id, customer_unique_id as person_id, customer_zip_code_prefix as zip, upper(customer_state) as state, customer_city as city
from read_csv('{{ var("data_dir") }}/olist_customers_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
