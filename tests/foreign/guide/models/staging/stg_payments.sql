select order_id, cast(payment_sequential as bigint) as payment_no, payment_type, cast(payment_installments as bigint) as installments, cast(payment_value as decimal(18, 2)) as amount
from read_csv('{{ var("data_dir") }}/olist_order_payments_dataset.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
