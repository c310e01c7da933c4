"""The queries of the sellers page: revenue, punctuality and reviews of those who sell."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.queries.query import Query, is_chosen, query

_SELLERS = f"""
    FROM mart_seller_scorecard
    WHERE {is_chosen("state", "state")} AND (total_orders >= $min_orders::BIGINT OR $min_orders IS NULL)
"""
_WHICH_SELLERS: Mapping[str, object] = {"state": None, "min_orders": None}

SELLERS: dict[str, Query] = {
    "seller_states": query(
        "States with sellers",
        "mart_seller_scorecard",
        sql="SELECT DISTINCT state FROM mart_seller_scorecard WHERE state IS NOT NULL ORDER BY state",
    ),
    "seller_totals": query(
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
    "sellers_best": query(
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
    "sellers_quality": query(
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
    "sellers_by_state": query(
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
    "sellers_concentration": query(
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
    "sellers_by_start": query(
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
