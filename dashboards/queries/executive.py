"""The queries of the executive page: the months of the business at a glance."""

from __future__ import annotations

from dashboards.queries.query import IN_PERIOD, PERIOD, Query, query

EXECUTIVE: dict[str, Query] = {
    "executive_months": query(
        "Months with orders",
        "mart_executive_dashboard",
        sql="SELECT order_month FROM mart_executive_dashboard ORDER BY order_month",
    ),
    "executive_totals": query(
        "The period in figures",
        "mart_executive_dashboard",
        sql=f"""
            SELECT
                sum(revenue)::DECIMAL(18, 2) AS revenue,
                sum(total_orders)::BIGINT AS total_orders,
                sum(sale_orders)::BIGINT AS sale_orders,
                sum(revenue)::DOUBLE / nullif(sum(sale_orders), 0) AS average_order_value,
                sum(canceled_orders)::DOUBLE / nullif(sum(total_orders), 0) AS cancellation_rate,
                sum(total_freight)::DOUBLE / nullif(sum(gross_merchandise_value), 0)::DOUBLE AS freight_share,
                sum(total_items)::BIGINT AS total_items,
                min(order_month) AS first_month,
                max(order_month) AS last_month
            FROM mart_executive_dashboard
            WHERE {IN_PERIOD}
        """,
        **PERIOD,
    ),
    "executive_by_month": query(
        "Revenue and orders by month",
        "mart_executive_dashboard",
        sql=f"""
            SELECT
                order_month, revenue, revenue_growth, cumulative_revenue, average_order_value, cancellation_rate,
                total_orders, delivered_orders, canceled_orders, sale_orders,
                total_orders - delivered_orders - canceled_orders AS other_orders
            FROM mart_executive_dashboard
            WHERE {IN_PERIOD}
            ORDER BY order_month
        """,
        **PERIOD,
    ),
    "executive_payments": query(
        "Payments by month and type",
        "mart_executive_dashboard",
        sql=f"""
            FROM (UNPIVOT (
                SELECT order_month, credit_card_payment AS credit_card, boleto_payment AS boleto,
                       voucher_payment AS voucher, debit_card_payment AS debit_card
                FROM mart_executive_dashboard
                WHERE {IN_PERIOD}
            )
            ON credit_card, boleto, voucher, debit_card INTO NAME payment_type VALUE payment_value)
            ORDER BY order_month, payment_type
        """,
        **PERIOD,
    ),
    "executive_customers": query(
        "Customers today",
        "mart_customer_analytics",
        sql="""
            SELECT
                sum(customers)::BIGINT AS customers,
                sum(returning_customers)::DOUBLE / nullif(sum(customers), 0) AS returning_share,
                sum(churned_customers)::DOUBLE / nullif(sum(customers), 0) AS churn_rate
            FROM mart_customer_analytics
        """,
    ),
    "executive_service": query(
        "Deliveries and late deliveries by month",
        "mart_delivery_metrics",
        sql=f"""
            SELECT
                order_month,
                sum(delivered_orders)::BIGINT AS delivered_orders,
                sum(on_time_orders)::BIGINT AS on_time_orders,
                sum(on_time_orders)::DOUBLE / nullif(sum(delivered_orders), 0) AS on_time_rate
            FROM mart_delivery_metrics
            WHERE order_month IS NOT NULL AND {IN_PERIOD}
            GROUP BY order_month
            ORDER BY order_month
        """,
        **PERIOD,
    ),
    "executive_reviews": query(
        "Mean review score by purchase month",
        "fact_reviews",
        sql=f"""
            SELECT
                order_month,
                count(*) AS reviews,
                sum(review_score)::BIGINT AS score_sum,
                sum(review_score)::DOUBLE / count(*) AS average_review_score
            FROM fact_reviews
            WHERE order_month IS NOT NULL AND {IN_PERIOD}
            GROUP BY order_month
            ORDER BY order_month
        """,
        **PERIOD,
    ),
}
