"""The queries of the sales page: orders, what is in them and how they are paid."""

from __future__ import annotations

from dashboards.queries.query import IN_PERIOD, PERIOD, Query, is_chosen, months, query

_CHOSEN_ORDERS = f"""
    FROM fact_orders
    WHERE {IN_PERIOD} AND {is_chosen("order_status", "status")}
"""
_CHOSEN_ITEMS = f"""
    FROM fact_order_items AS i
    JOIN fact_orders AS o USING (order_id)
    LEFT JOIN dim_product AS p USING (product_id)
    WHERE {months("o.order_month")} AND {is_chosen("o.order_status", "status")}
"""
_CHOSEN_PAYMENTS = f"""
    FROM fact_payments AS p
    JOIN fact_orders AS o USING (order_id)
    WHERE {months("o.order_month")} AND {is_chosen("o.order_status", "status")}
"""

SALES: dict[str, Query] = {
    "sales_months": query(
        "Months with orders",
        "fact_orders",
        sql="SELECT DISTINCT order_month FROM fact_orders WHERE order_month IS NOT NULL ORDER BY order_month",
    ),
    "sales_statuses": query(
        "Statuses of orders",
        "fact_orders",
        sql="SELECT DISTINCT order_status FROM fact_orders WHERE order_status IS NOT NULL ORDER BY order_status",
    ),
    "sales_totals": query(
        "The chosen orders in figures",
        "fact_orders",
        sql=f"""
            SELECT
                count(*) AS orders,
                count(*) FILTER (is_sale) AS sale_orders,
                sum(revenue) AS revenue,
                sum(revenue)::DOUBLE / nullif(count(*) FILTER (is_sale), 0) AS average_order_value,
                sum(total_items)::BIGINT AS items,
                sum(total_items)::DOUBLE / nullif(count(*), 0) AS items_per_order,
                count(*) FILTER (is_multivendor) AS multivendor_orders,
                count(*) FILTER (is_multivendor)::DOUBLE / nullif(count(*), 0) AS multivendor_share
            {_CHOSEN_ORDERS}
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_day": query(
        "Revenue and orders by day",
        "fact_orders",
        "dim_date",
        sql=f"""
            WITH sold AS (
                SELECT full_date, count(*) AS orders, sum(revenue) AS revenue
                FROM fact_orders
                JOIN dim_date ON date_key = purchase_date_key
                WHERE {IN_PERIOD} AND {is_chosen("order_status", "status")}
                GROUP BY full_date
            )
            SELECT
                full_date,
                coalesce(orders, 0) AS orders,
                coalesce(revenue, 0) AS revenue,
                (avg(coalesce(revenue, 0)) OVER last_days)::DOUBLE AS revenue_rolling
            FROM dim_date
            LEFT JOIN sold USING (full_date)
            WHERE full_date BETWEEN (SELECT min(full_date) FROM sold) AND (SELECT max(full_date) FROM sold)
            WINDOW last_days AS (ORDER BY full_date ROWS BETWEEN 27 PRECEDING AND CURRENT ROW)
            ORDER BY full_date
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_weekday_and_hour": query(
        "Orders by weekday and hour",
        "fact_orders",
        sql=f"""
            SELECT
                isodow(order_purchase_timestamp) AS weekday,
                hour(order_purchase_timestamp) AS hour,
                count(*) AS orders
            {_CHOSEN_ORDERS} AND order_purchase_timestamp IS NOT NULL
            GROUP BY ALL
            ORDER BY weekday, hour
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_status": query(
        "Orders by status",
        "fact_orders",
        sql=f"""
            SELECT order_status, count(*) AS orders, sum(total_amount) AS total_amount
            {_CHOSEN_ORDERS}
            GROUP BY order_status
            ORDER BY orders DESC, order_status
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_category": query(
        "Revenue by category",
        "fact_orders",
        "fact_order_items",
        "dim_product",
        sql=f"""
            SELECT p.category, sum(i.total_amount) AS revenue, count(*) AS items
            {_CHOSEN_ITEMS} AND o.is_sale
            GROUP BY p.category
            ORDER BY revenue DESC, p.category
            LIMIT 15
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_payment_type": query(
        "Payments by type",
        "fact_orders",
        "fact_payments",
        sql=f"""
            SELECT
                p.payment_type,
                count(*) AS payments,
                sum(p.payment_value) AS payment_value,
                sum(p.payment_value)::DOUBLE / count(*) AS average_payment
            {_CHOSEN_PAYMENTS}
            GROUP BY p.payment_type
            ORDER BY payment_value DESC, p.payment_type
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_instalments": query(
        "Credit card payments by number of instalments",
        "fact_orders",
        "fact_payments",
        sql=f"""
            SELECT
                p.payment_installments AS instalments,
                count(*) AS payments,
                sum(p.payment_value)::DOUBLE / count(*) AS average_payment
            {_CHOSEN_PAYMENTS} AND p.payment_type = 'credit_card'
            GROUP BY instalments
            ORDER BY instalments
        """,
        **PERIOD,
        status=None,
    ),
}
