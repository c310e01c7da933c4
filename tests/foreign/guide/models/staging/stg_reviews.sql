select review_id, order_id, try_cast(review_score as integer) as score, try_cast(review_creation_date as timestamp) as created_at
from read_csv('{{ var("data_dir") }}/olist_order_reviews_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
