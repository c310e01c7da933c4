"""The tables of the whole warehouse, written down once: what every tree must hold and every release serves."""

TABLES = {
    "dim_category",
    "dim_customer",
    "dim_date",
    "dim_geography",
    "dim_product",
    "dim_seller",
    "fact_order_items",
    "fact_orders",
    "fact_payments",
    "fact_reviews",
    "int_customers",
    "int_deliveries",
    "int_orders_enriched",
    "int_products",
    "int_sellers",
    "mart_cohort_analysis",
    "mart_customer_analytics",
    "mart_delivery_metrics",
    "mart_executive_dashboard",
    "mart_geographic_analysis",
    "mart_product_performance",
    "mart_seller_scorecard",
}

IDENTICAL = {
    "dim_category",
    "dim_date",
    "dim_product",
    "dim_seller",
    "fact_order_items",
    "int_products",
    "int_sellers",
    "mart_product_performance",
    "mart_seller_scorecard",
}
"""The tables that quarantined orders without items leave as they are."""

STAGED = {
    "sales": {"orders", "order_items", "order_payments"},
    "marketplace": {"order_reviews", "sellers", "products", "categories"},
    "customer": {"customers", "purchases", "persons"},
    "fulfillment": {"geolocation", "zip_prefixes", "deliveries"},
}

MONTHLY = {"sales/orders", "sales/order_items", "sales/order_payments", "marketplace/order_reviews"} | {
    "fulfillment/deliveries"
}

MONTHLY_TABLES = {"fact_order_items", "fact_orders", "fact_payments", "fact_reviews"} | {
    "int_deliveries",
    "int_orders_enriched",
}

LANDING = {
    "orders",
    "order_items",
    "order_payments",
    "order_reviews",
    "customers",
    "sellers",
    "products",
    "categories",
    "geolocation",
}
