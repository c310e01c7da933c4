select seller_id, seller_zip_code_prefix as zip, upper(seller_state) as state, seller_city as city
from read_csv('{{ var("data_dir") }}/olist_sellers_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
