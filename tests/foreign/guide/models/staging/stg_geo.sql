select geolocation_zip_code_prefix as zip, try_cast(geolocation_lat as double) as lat, try_cast(geolocation_lng as double) as lng
from read_csv('{{ var("data_dir") }}/olist_geolocation_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
