select product_id, product_category_name as category_pt, try_cast(product_weight_g as integer) as weight_g
from read_csv('{{ var("data_dir") }}/olist_products_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
