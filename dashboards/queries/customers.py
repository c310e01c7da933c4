"""The queries of the customers page: who buys, how much, and who comes back."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.queries.query import Query, is_chosen, query

_PERSONS = f"""
    FROM int_customers
    WHERE {is_chosen("region", "region")} AND {is_chosen("rfm_segment", "rfm_segment")} AND first_order_at IS NOT NULL
"""
_WHO: Mapping[str, object] = {"region": None, "rfm_segment": None}

CUSTOMERS: dict[str, Query] = {
    "customer_regions": query(
        "Regions with customers",
        "int_customers",
        sql="SELECT DISTINCT region FROM int_customers WHERE region IS NOT NULL ORDER BY region",
    ),
    "customer_rfm_segments": query(
        "RFM segments with customers",
        "int_customers",
        sql="SELECT DISTINCT rfm_segment FROM int_customers WHERE rfm_segment IS NOT NULL ORDER BY rfm_segment",
    ),
    "customer_totals": query(
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
    "customers_by_rfm_segment": query(
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
    "customers_by_rfm_scores": query(
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
    "customers_by_segment": query(
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
    "customers_by_state": query(
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
    "cohort_retention": query(
        "Customers who order again, by month of first order",
        "mart_cohort_analysis",
        sql="""
            SELECT cohort_month, months_since, cohort_size, active_customers, retention_rate
            FROM mart_cohort_analysis
            WHERE months_since > 0
            ORDER BY cohort_month, months_since
        """,
    ),
    "cohort_value": query(
        "Revenue of a customer since the first order, by month of first order",
        "mart_cohort_analysis",
        sql="""
            SELECT cohort_month, months_since, cohort_size, cumulative_revenue_per_customer
            FROM mart_cohort_analysis
            ORDER BY cohort_month, months_since
        """,
    ),
    "new_and_repeat_orders": query(
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
