select order_id, cast(order_item_id as integer) as line_no, product_id, seller_id, cast(price as decimal(18, 2)) as price, cast(freight_value as decimal(18, 2)) as freight
from read_csv('{{ var("data_dir") }}/olist_order_items_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
