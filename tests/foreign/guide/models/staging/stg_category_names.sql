select product_category_name as category_pt, product_category_name_english as category_en
from read_csv('{{ var("data_dir") }}/product_category_name_translation.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
