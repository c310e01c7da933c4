"""Queries: every number on a dashboard, by name.

What belongs here: SQL over the tables of a release, with the filters of the pages as parameters. What does not:
business thresholds (segments, flags and verdicts stand in the tables), formatting, and opening a release.

A parameter stands in the SQL as `$name`; NULL, the default of most, means that the filter is off. Every query ends
in an ORDER BY that leaves no tie, so that the same tables give the same rows in the same order. Sums are taken of
decimals and whole numbers, means as a quotient of sums, so that they do not depend on the order of rows either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Query:
    """One question to a release.

    `sql` is plain DuckDB SQL on schema main; what a release says of the migration stands in its schema `about`.
    `tables` are the tables that it reads, those of `about` with their schema. `defaults` has every parameter.
    """

    title: str
    sql: str
    tables: frozenset[str]
    defaults: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


PERIOD: Mapping[str, object] = {"from_month": None, "to_month": None}


def _query(title: str, *tables: str, sql: str, **defaults: object) -> Query:
    return Query(title, sql, frozenset(tables), MappingProxyType(defaults))


def _months(column: str) -> str:
    """Return the condition that a month lies within the chosen period."""
    return (
        f"({column} >= $from_month::DATE OR $from_month IS NULL) AND ({column} <= $to_month::DATE OR $to_month IS NULL)"
    )


def _is(column: str, parameter: str) -> str:
    """Return the condition that a column has the chosen value."""
    return f"({column} = ${parameter}::VARCHAR OR ${parameter} IS NULL)"


_IN_PERIOD = _months("order_month")

EXECUTIVE: dict[str, Query] = {
    "executive_months": _query(
        "Months with orders",
        "mart_executive_dashboard",
        sql="SELECT order_month FROM mart_executive_dashboard ORDER BY order_month",
    ),
    "executive_totals": _query(
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
            WHERE {_IN_PERIOD}
        """,
        **PERIOD,
    ),
    "executive_by_month": _query(
        "Revenue and orders by month",
        "mart_executive_dashboard",
        sql=f"""
            SELECT
                order_month, revenue, revenue_growth, cumulative_revenue, average_order_value, cancellation_rate,
                total_orders, delivered_orders, canceled_orders, sale_orders,
                total_orders - delivered_orders - canceled_orders AS other_orders
            FROM mart_executive_dashboard
            WHERE {_IN_PERIOD}
            ORDER BY order_month
        """,
        **PERIOD,
    ),
    "executive_payments": _query(
        "Payments by month and type",
        "mart_executive_dashboard",
        sql=f"""
            FROM (UNPIVOT (
                SELECT order_month, credit_card_payment AS credit_card, boleto_payment AS boleto,
                       voucher_payment AS voucher, debit_card_payment AS debit_card
                FROM mart_executive_dashboard
                WHERE {_IN_PERIOD}
            )
            ON credit_card, boleto, voucher, debit_card INTO NAME payment_type VALUE payment_value)
            ORDER BY order_month, payment_type
        """,
        **PERIOD,
    ),
    "executive_customers": _query(
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
    "executive_service": _query(
        "Deliveries and late deliveries by month",
        "mart_delivery_metrics",
        sql=f"""
            SELECT
                order_month,
                sum(delivered_orders)::BIGINT AS delivered_orders,
                sum(on_time_orders)::BIGINT AS on_time_orders,
                sum(on_time_orders)::DOUBLE / nullif(sum(delivered_orders), 0) AS on_time_rate
            FROM mart_delivery_metrics
            WHERE order_month IS NOT NULL AND {_IN_PERIOD}
            GROUP BY order_month
            ORDER BY order_month
        """,
        **PERIOD,
    ),
    "executive_reviews": _query(
        "Mean review score by purchase month",
        "fact_reviews",
        sql=f"""
            SELECT
                order_month,
                count(*) AS reviews,
                sum(review_score)::BIGINT AS score_sum,
                sum(review_score)::DOUBLE / count(*) AS average_review_score
            FROM fact_reviews
            WHERE order_month IS NOT NULL AND {_IN_PERIOD}
            GROUP BY order_month
            ORDER BY order_month
        """,
        **PERIOD,
    ),
}


_CHOSEN_ORDERS = f"""
    FROM fact_orders
    WHERE {_IN_PERIOD} AND {_is("order_status", "status")}
"""
_CHOSEN_ITEMS = f"""
    FROM fact_order_items AS i
    JOIN fact_orders AS o USING (order_id)
    LEFT JOIN dim_product AS p USING (product_id)
    WHERE {_months("o.order_month")} AND {_is("o.order_status", "status")}
"""
_CHOSEN_PAYMENTS = f"""
    FROM fact_payments AS p
    JOIN fact_orders AS o USING (order_id)
    WHERE {_months("o.order_month")} AND {_is("o.order_status", "status")}
"""

SALES: dict[str, Query] = {
    "sales_months": _query(
        "Months with orders",
        "fact_orders",
        sql="SELECT DISTINCT order_month FROM fact_orders WHERE order_month IS NOT NULL ORDER BY order_month",
    ),
    "sales_statuses": _query(
        "Statuses of orders",
        "fact_orders",
        sql="SELECT DISTINCT order_status FROM fact_orders WHERE order_status IS NOT NULL ORDER BY order_status",
    ),
    "sales_totals": _query(
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
    "sales_by_day": _query(
        "Revenue and orders by day",
        "fact_orders",
        "dim_date",
        sql=f"""
            SELECT
                full_date,
                count(*) AS orders,
                sum(revenue) AS revenue,
                (sum(sum(revenue)) OVER last_days)::DOUBLE / (count(*) OVER last_days) AS revenue_rolling
            FROM fact_orders
            JOIN dim_date ON date_key = purchase_date_key
            WHERE {_IN_PERIOD} AND {_is("order_status", "status")}
            GROUP BY full_date
            WINDOW last_days AS (ORDER BY full_date RANGE BETWEEN INTERVAL 27 DAYS PRECEDING AND CURRENT ROW)
            ORDER BY full_date
        """,
        **PERIOD,
        status=None,
    ),
    "sales_by_weekday_and_hour": _query(
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
    "sales_by_status": _query(
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
    "sales_by_category": _query(
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
    "sales_by_payment_type": _query(
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
    "sales_by_instalments": _query(
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

_PERSONS = f"""
    FROM int_customers
    WHERE {_is("region", "region")} AND {_is("rfm_segment", "rfm_segment")} AND first_order_at IS NOT NULL
"""
_WHO: Mapping[str, object] = {"region": None, "rfm_segment": None}

CUSTOMERS: dict[str, Query] = {
    "customer_regions": _query(
        "Regions with customers",
        "int_customers",
        sql="SELECT DISTINCT region FROM int_customers WHERE region IS NOT NULL ORDER BY region",
    ),
    "customer_rfm_segments": _query(
        "RFM segments with customers",
        "int_customers",
        sql="SELECT DISTINCT rfm_segment FROM int_customers WHERE rfm_segment IS NOT NULL ORDER BY rfm_segment",
    ),
    "customer_totals": _query(
        "The chosen customers in figures",
        "int_customers",
        sql=f"""
            SELECT
                count(*) AS customers,
                sum(total_orders)::BIGINT AS orders,
                sum(total_spent) AS spent,
                sum(total_spent)::DOUBLE / nullif(count(*), 0) AS spent_per_customer,
                count(*) FILTER (has_returned)::DOUBLE / nullif(count(*), 0) AS returning_share,
                count(*) FILTER (is_churned)::DOUBLE / nullif(count(*), 0) AS churn_rate
            {_PERSONS}
        """,
        **_WHO,
    ),
    "customers_by_rfm_segment": _query(
        "Customers and spending by RFM segment",
        "int_customers",
        sql=f"""
            SELECT
                rfm_segment,
                count(*) AS customers,
                sum(total_spent) AS spent,
                sum(total_spent)::DOUBLE / count(*) AS spent_per_customer,
                count(*) FILTER (is_churned)::DOUBLE / count(*) AS churn_rate
            {_PERSONS}
            GROUP BY rfm_segment
            ORDER BY customers DESC, rfm_segment
        """,
        **_WHO,
    ),
    "customers_by_rfm_scores": _query(
        "Customers by recency and monetary score",
        "int_customers",
        sql=f"""
            SELECT
                recency_score, monetary_score, count(*) AS customers,
                sum(total_spent)::DOUBLE / count(*) AS spent_per_customer
            {_PERSONS}
            GROUP BY recency_score, monetary_score
            ORDER BY recency_score, monetary_score
        """,
        **_WHO,
    ),
    "customers_by_segment": _query(
        "Customers by segment and value tier",
        "int_customers",
        sql=f"""
            SELECT customer_segment, lifetime_value_tier, count(*) AS customers, sum(total_spent) AS spent
            {_PERSONS}
            GROUP BY customer_segment, lifetime_value_tier
            ORDER BY customer_segment, lifetime_value_tier
        """,
        **_WHO,
    ),
    "customers_by_state": _query(
        "Customers by state",
        "int_customers",
        sql=f"""
            SELECT
                state, region, count(*) AS customers, sum(total_spent) AS spent,
                sum(total_spent)::DOUBLE / count(*) AS spent_per_customer
            {_PERSONS}
            GROUP BY state, region
            ORDER BY customers DESC, state, region
        """,
        **_WHO,
    ),
    "cohort_retention": _query(
        "Customers who order again, by month of first order",
        "mart_cohort_analysis",
        sql="""
            SELECT cohort_month, months_since, cohort_size, active_customers, retention_rate
            FROM mart_cohort_analysis
            WHERE months_since > 0
            ORDER BY cohort_month, months_since
        """,
    ),
    "cohort_value": _query(
        "Revenue of a customer since the first order, by month of first order",
        "mart_cohort_analysis",
        sql="""
            SELECT cohort_month, months_since, cohort_size, cumulative_revenue_per_customer
            FROM mart_cohort_analysis
            ORDER BY cohort_month, months_since
        """,
    ),
    "new_and_repeat_orders": _query(
        "First and repeat orders by month",
        "mart_cohort_analysis",
        sql="""
            SELECT
                order_month,
                sum(total_orders - repeat_orders)::BIGINT AS first_orders,
                sum(repeat_orders)::BIGINT AS repeat_orders
            FROM mart_cohort_analysis
            GROUP BY order_month
            ORDER BY order_month
        """,
    ),
}

_PRODUCTS = f"FROM mart_product_performance WHERE {_is('category', 'category')}"

PRODUCTS: dict[str, Query] = {
    "product_categories": _query(
        "Categories with products",
        "mart_product_performance",
        sql="SELECT DISTINCT category FROM mart_product_performance WHERE category IS NOT NULL ORDER BY category",
    ),
    "product_totals": _query(
        "The chosen products in figures",
        "mart_product_performance",
        sql=f"""
            SELECT
                count(*) AS products,
                count(*) FILTER (sale_items > 0) AS sold_products,
                count(DISTINCT category) AS categories,
                sum(sale_items)::BIGINT AS sale_items,
                sum(revenue) AS revenue,
                sum(revenue)::DOUBLE / nullif(sum(sale_items), 0) AS revenue_per_item
            {_PRODUCTS}
        """,
        category=None,
    ),
    "product_categories_by_revenue": _query(
        "Categories by revenue",
        "mart_product_performance",
        sql="""
            SELECT
                category, category_rank, category_revenue AS revenue,
                category_average_review_score AS average_review_score,
                sum(sale_items)::BIGINT AS sale_items, count(*) AS products
            FROM mart_product_performance
            GROUP BY ALL
            ORDER BY category_rank, category
        """,
    ),
    "product_concentration": _query(
        "Share of revenue of the best-selling products",
        "mart_product_performance",
        sql=f"""
            WITH sold AS (
                SELECT
                    row_number() OVER by_rank AS place,
                    count(*) OVER () AS products,
                    sum(revenue) OVER by_rank AS revenue_so_far,
                    sum(revenue) OVER () AS revenue
                {_PRODUCTS} AND revenue > 0
                WINDOW by_rank AS (ORDER BY revenue_rank)
            )
            SELECT
                ceil(place * 100 / products)::BIGINT AS percent_of_products,
                max(revenue_so_far)::DOUBLE / max(revenue)::DOUBLE AS share_of_revenue
            FROM sold
            GROUP BY percent_of_products
            ORDER BY percent_of_products
        """,
        category=None,
    ),
    "product_review_scores": _query(
        "Reviews by score",
        "fact_reviews",
        sql="""
            SELECT review_score, sentiment, count(*) AS reviews, count(*) FILTER (has_comment) AS with_comment
            FROM fact_reviews
            GROUP BY review_score, sentiment
            ORDER BY review_score, sentiment
        """,
    ),
    "product_best": _query(
        "Best-selling products",
        "mart_product_performance",
        sql=f"""
            SELECT
                revenue_rank, product_id, category, sale_items, revenue, average_price, average_review_score,
                freight_share, share_of_category
            {_PRODUCTS}
            ORDER BY revenue_rank, product_id
            LIMIT 20
        """,
        category=None,
    ),
}

_SELLERS = f"""
    FROM mart_seller_scorecard
    WHERE {_is("state", "state")} AND (total_orders >= $min_orders::BIGINT OR $min_orders IS NULL)
"""
_WHICH_SELLERS: Mapping[str, object] = {"state": None, "min_orders": None}

SELLERS: dict[str, Query] = {
    "seller_states": _query(
        "States with sellers",
        "mart_seller_scorecard",
        sql="SELECT DISTINCT state FROM mart_seller_scorecard WHERE state IS NOT NULL ORDER BY state",
    ),
    "seller_totals": _query(
        "The chosen sellers in figures",
        "mart_seller_scorecard",
        sql=f"""
            SELECT
                count(*) AS sellers,
                sum(revenue) AS revenue,
                sum(revenue)::DOUBLE / nullif(count(*), 0) AS revenue_per_seller,
                sum(late_orders)::DOUBLE / nullif(sum(delivered_orders), 0) AS late_rate,
                sum(canceled_orders)::DOUBLE / nullif(sum(total_orders), 0) AS cancellation_rate,
                sum(total_orders)::BIGINT AS total_orders
            {_SELLERS}
        """,
        **_WHICH_SELLERS,
    ),
    "sellers_best": _query(
        "Sellers by revenue",
        "mart_seller_scorecard",
        sql=f"""
            SELECT
                revenue_rank, seller_id, city, state, total_orders, revenue, average_order_value, late_rate,
                cancellation_rate, average_review_score, tenure_days
            {_SELLERS}
            ORDER BY revenue_rank, seller_id
            LIMIT 20
        """,
        **_WHICH_SELLERS,
    ),
    "sellers_quality": _query(
        "Punctuality and reviews of sellers",
        "mart_seller_scorecard",
        sql=f"""
            SELECT seller_id, city, state, region, total_orders, revenue, late_rate, average_review_score
            {_SELLERS} AND late_rate IS NOT NULL AND average_review_score IS NOT NULL
            ORDER BY revenue_rank, seller_id
            LIMIT 600
        """,
        **_WHICH_SELLERS,
    ),
    "sellers_by_state": _query(
        "Sellers by state",
        "mart_seller_scorecard",
        sql=f"""
            SELECT
                state, region, count(*) AS sellers, sum(revenue) AS revenue,
                sum(late_orders)::DOUBLE / nullif(sum(delivered_orders), 0) AS late_rate
            {_SELLERS}
            GROUP BY state, region
            ORDER BY revenue DESC, state, region
        """,
        **_WHICH_SELLERS,
    ),
    "sellers_concentration": _query(
        "Share of revenue of the largest sellers",
        "mart_seller_scorecard",
        sql=f"""
            WITH selling AS (
                SELECT
                    row_number() OVER by_rank AS place,
                    count(*) OVER () AS sellers,
                    sum(revenue) OVER by_rank AS revenue_so_far,
                    sum(revenue) OVER () AS revenue
                {_SELLERS} AND revenue > 0
                WINDOW by_rank AS (ORDER BY revenue_rank)
            )
            SELECT
                ceil(place * 100 / sellers)::BIGINT AS percent_of_sellers,
                max(revenue_so_far)::DOUBLE / max(revenue)::DOUBLE AS share_of_revenue
            FROM selling
            GROUP BY percent_of_sellers
            ORDER BY percent_of_sellers
        """,
        **_WHICH_SELLERS,
    ),
    "sellers_by_start": _query(
        "New sellers by month of their first order",
        "mart_seller_scorecard",
        sql=f"""
            SELECT date_trunc('month', first_order_at)::DATE AS first_month, count(*) AS sellers
            {_SELLERS} AND first_order_at IS NOT NULL
            GROUP BY first_month
            ORDER BY first_month
        """,
        **_WHICH_SELLERS,
    ),
}

_DELIVERIES = f"""
    FROM mart_delivery_metrics
    WHERE order_month IS NOT NULL AND {_IN_PERIOD} AND {_is("state", "state")}
"""
_WHERE_AND_WHEN: Mapping[str, object] = {**PERIOD, "state": None}

DELIVERY: dict[str, Query] = {
    "delivery_months": _query(
        "Months with orders",
        "mart_delivery_metrics",
        sql="SELECT DISTINCT order_month FROM mart_delivery_metrics WHERE order_month IS NOT NULL ORDER BY order_month",
    ),
    "delivery_states": _query(
        "States of customers",
        "mart_delivery_metrics",
        sql="SELECT DISTINCT state FROM mart_delivery_metrics WHERE state IS NOT NULL ORDER BY state",
    ),
    "delivery_totals": _query(
        "The chosen deliveries in figures",
        "mart_delivery_metrics",
        sql=f"""
            SELECT
                sum(total_orders)::BIGINT AS total_orders,
                sum(delivered_orders)::BIGINT AS delivered_orders,
                sum(on_time_orders)::DOUBLE / nullif(sum(delivered_orders), 0) AS on_time_rate,
                sum(very_late_orders)::BIGINT AS very_late_orders,
                sum(total_freight) AS total_freight,
                sum(total_freight)::DOUBLE / nullif(sum(total_orders), 0) AS freight_per_order
            {_DELIVERIES}
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_times": _query(
        "Days from purchase to customer, by month",
        "int_deliveries",
        sql=f"""
            SELECT
                order_month,
                count(delivery_days) AS deliveries,
                sum(approval_hours)::DOUBLE / 24 / nullif(count(approval_hours), 0) AS approval_days,
                sum(handling_days)::DOUBLE / nullif(count(handling_days), 0) AS handling_days,
                sum(transit_days)::DOUBLE / nullif(count(transit_days), 0) AS transit_days,
                sum(delivery_days)::DOUBLE / nullif(count(delivery_days), 0) AS delivery_days,
                sum(days_vs_estimate)::DOUBLE / nullif(count(days_vs_estimate), 0) AS days_vs_estimate
            FROM int_deliveries
            WHERE order_month IS NOT NULL AND delivery_days IS NOT NULL
              AND {_IN_PERIOD} AND {_is("customer_state", "state")}
            GROUP BY order_month
            ORDER BY order_month
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_average_days": _query(
        "Mean days from purchase to customer",
        "int_deliveries",
        sql=f"""
            SELECT
                sum(delivery_days)::DOUBLE / nullif(count(delivery_days), 0) AS delivery_days,
                sum(days_vs_estimate)::DOUBLE / nullif(count(days_vs_estimate), 0) AS days_vs_estimate
            FROM int_deliveries
            WHERE order_month IS NOT NULL AND {_IN_PERIOD} AND {_is("customer_state", "state")}
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_punctuality": _query(
        "Deliveries by punctuality and month",
        "mart_delivery_metrics",
        sql=f"""
            FROM (UNPIVOT (
                SELECT
                    order_month,
                    sum(on_time_orders)::BIGINT AS on_time,
                    sum(slightly_late_orders)::BIGINT AS slightly_late,
                    sum(very_late_orders)::BIGINT AS very_late
                {_DELIVERIES}
                GROUP BY order_month
            )
            ON on_time, slightly_late, very_late INTO NAME punctuality VALUE orders)
            ORDER BY order_month, punctuality
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_by_state": _query(
        "Punctuality and times by state",
        "int_deliveries",
        sql=f"""
            SELECT
                customer_state AS state,
                count(delivery_days) AS delivered_orders,
                count(*) FILTER (is_late)::DOUBLE / nullif(count(delivery_days), 0) AS late_rate,
                sum(delivery_days)::DOUBLE / nullif(count(delivery_days), 0) AS delivery_days
            FROM int_deliveries
            WHERE {_IN_PERIOD} AND {_is("customer_state", "state")}
              AND customer_state IS NOT NULL AND delivery_days IS NOT NULL
            GROUP BY customer_state
            ORDER BY delivered_orders DESC, customer_state
        """,
        **_WHERE_AND_WHEN,
    ),
    "geography_cities": _query(
        "Cities by revenue, with their place on the map",
        "mart_geographic_analysis",
        "dim_geography",
        sql=f"""
            WITH places AS (
                SELECT
                    state, city,
                    (sum((latitude * points)::DECIMAL(28, 6)) / sum(points))::DOUBLE AS latitude,
                    (sum((longitude * points)::DECIMAL(28, 6)) / sum(points))::DOUBLE AS longitude
                FROM dim_geography
                GROUP BY state, city
            )
            SELECT
                g.state, g.city, g.region, p.latitude, p.longitude, g.revenue, g.total_orders, g.customers,
                g.sellers, g.late_rate, g.average_delivery_days
            FROM mart_geographic_analysis AS g
            JOIN places AS p USING (state, city)
            WHERE g.total_orders > 0 AND {_is("g.state", "state")}
            ORDER BY g.revenue_rank
            LIMIT 1500
        """,
        state=None,
    ),
    "geography_states": _query(
        "Customers and sellers by state",
        "mart_geographic_analysis",
        sql=f"""
            SELECT
                state, region,
                sum(revenue) AS revenue,
                sum(seller_revenue) AS seller_revenue,
                sum(total_orders)::BIGINT AS total_orders
            FROM mart_geographic_analysis
            WHERE {_is("state", "state")}
            GROUP BY state, region
            ORDER BY revenue DESC, state, region
        """,
        state=None,
    ),
}

MIGRATION: dict[str, Query] = {
    "migration_routes": _query(
        "What each context serves",
        "about.migration_routes",
        sql="""
            SELECT position, context, route, changed_at, changed_by, reason
            FROM about.migration_routes ORDER BY position
        """,
    ),
    "migration_totals": _query(
        "The migration in figures",
        "about.migration_conservation",
        "about.migration_parity",
        "about.migration_rules",
        sql="""
            WITH own_rows AS (
                -- A context may stage a second table of another's landing rows; those are counted once.
                SELECT landing, accepted, quarantined FROM about.migration_conservation WHERE landing_table = table_name
            )
            SELECT
                (SELECT sum(landing)::BIGINT FROM own_rows) AS landing,
                (SELECT sum(accepted)::BIGINT FROM own_rows) AS accepted,
                (SELECT sum(quarantined)::BIGINT FROM own_rows) AS quarantined,
                (SELECT count(*) FROM about.migration_conservation) AS staged_tables,
                (SELECT count(*) FROM about.migration_conservation WHERE holds) AS conserved_tables,
                (SELECT count(*) FROM about.migration_parity) AS compared_tables,
                (SELECT count(*) FROM about.migration_parity WHERE is_green) AS green_tables,
                (SELECT count(*) FROM about.migration_parity WHERE verdict = 'identical') AS identical_tables,
                (SELECT count(*) FROM about.migration_rules) AS rules,
                (SELECT count(*) FROM about.migration_rules WHERE "rows" > 0) AS broken_rules
        """,
    ),
    "migration_parity": _query(
        "Parity of every table",
        "about.migration_parity",
        sql="""
            SELECT context, table_name, verdict, is_green, rows_old, rows_new, equal_rows, why, recorded_at
            FROM about.migration_parity
            ORDER BY context, table_name
        """,
    ),
    "migration_conservation": _query(
        "Landing rows, accepted and quarantined",
        "about.migration_conservation",
        sql="""
            SELECT context, table_name, landing, accepted, quarantined, holds
            FROM about.migration_conservation
            WHERE landing IS NOT NULL
            ORDER BY context, table_name
        """,
    ),
    "migration_quarantine_by_rule": _query(
        "Quarantined rows by rule and table",
        "about.migration_quarantine",
        sql="""
            SELECT rule, source_table, sum("rows")::BIGINT AS "rows"
            FROM about.migration_quarantine
            GROUP BY rule, source_table
            ORDER BY "rows" DESC, rule, source_table
        """,
    ),
    "migration_quarantine_by_month": _query(
        "Quarantined rows by order month and rule",
        "about.migration_quarantine",
        sql="""
            SELECT order_month, rule, sum("rows")::BIGINT AS "rows"
            FROM about.migration_quarantine
            WHERE order_month IS NOT NULL
            GROUP BY order_month, rule
            ORDER BY order_month, rule
        """,
    ),
    "migration_rules": _query(
        "Every rule, with the rows that broke it",
        "about.migration_rules",
        sql=f"""
            SELECT context, table_name, code, severity, statement, replaces, "rows"
            FROM about.migration_rules
            WHERE {_is("context", "context")} AND {_is("severity", "severity")}
            ORDER BY "rows" DESC, context, table_name, code
        """,
        context=None,
        severity=None,
    ),
    "migration_contexts": _query(
        "Contexts with rules",
        "about.migration_rules",
        sql="SELECT DISTINCT context FROM about.migration_rules ORDER BY context",
    ),
}

QUERIES: Mapping[str, Query] = MappingProxyType(
    EXECUTIVE | SALES | CUSTOMERS | PRODUCTS | SELLERS | DELIVERY | MIGRATION
)
