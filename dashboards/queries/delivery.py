"""The queries of the delivery and geography page: how long orders take, how punctual they are, and where they go."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.queries.query import IN_PERIOD, PERIOD, Query, is_chosen, months, query

_DELIVERIES = f"""
    FROM mart_delivery_metrics
    WHERE order_month IS NOT NULL AND {IN_PERIOD} AND {is_chosen("state", "state")}
"""
_WHERE_AND_WHEN: Mapping[str, object] = {**PERIOD, "state": None}

DELIVERY: dict[str, Query] = {
    "delivery_months": query(
        "Months with orders",
        "mart_delivery_metrics",
        sql="SELECT DISTINCT order_month FROM mart_delivery_metrics WHERE order_month IS NOT NULL ORDER BY order_month",
    ),
    "delivery_states": query(
        "States of customers",
        "mart_delivery_metrics",
        sql="SELECT DISTINCT state FROM mart_delivery_metrics WHERE state IS NOT NULL ORDER BY state",
    ),
    "delivery_totals": query(
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
    "delivery_status_totals": query(
        "The chosen orders that are delivered by their status",
        "fact_orders",
        "int_deliveries",
        sql=f"""
            SELECT count(*) FILTER (o.is_delivered) AS orders
            FROM int_deliveries AS d
            JOIN fact_orders AS o USING (order_id)
            WHERE d.order_month IS NOT NULL
              AND {months("d.order_month")} AND {is_chosen("d.customer_state", "state")}
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_times": query(
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
              AND {IN_PERIOD} AND {is_chosen("customer_state", "state")}
            GROUP BY order_month
            ORDER BY order_month
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_average_days": query(
        "Mean days from purchase to customer",
        "int_deliveries",
        sql=f"""
            SELECT
                sum(delivery_days)::DOUBLE / nullif(count(delivery_days), 0) AS delivery_days,
                sum(days_vs_estimate)::DOUBLE / nullif(count(days_vs_estimate), 0) AS days_vs_estimate
            FROM int_deliveries
            WHERE order_month IS NOT NULL AND {IN_PERIOD} AND {is_chosen("customer_state", "state")}
        """,
        **_WHERE_AND_WHEN,
    ),
    "delivery_punctuality": query(
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
    "delivery_by_state": query(
        "Punctuality and times by state",
        "int_deliveries",
        sql=f"""
            SELECT
                customer_state AS state,
                count(delivery_days) AS delivered_orders,
                count(*) FILTER (is_late)::DOUBLE / nullif(count(delivery_days), 0) AS late_rate,
                sum(delivery_days)::DOUBLE / nullif(count(delivery_days), 0) AS delivery_days
            FROM int_deliveries
            WHERE {IN_PERIOD} AND {is_chosen("customer_state", "state")}
              AND customer_state IS NOT NULL AND delivery_days IS NOT NULL
            GROUP BY customer_state
            ORDER BY delivered_orders DESC, customer_state
        """,
        **_WHERE_AND_WHEN,
    ),
    "geography_cities": query(
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
                WHERE isfinite(latitude) AND isfinite(longitude)
                GROUP BY state, city
            )
            SELECT
                g.state, g.city, g.region, p.latitude, p.longitude, g.revenue, g.total_orders, g.customers,
                g.sellers, g.late_rate, g.average_delivery_days
            FROM mart_geographic_analysis AS g
            JOIN places AS p USING (state, city)
            WHERE g.total_orders > 0 AND {is_chosen("g.state", "state")}
            ORDER BY g.revenue_rank
            LIMIT 1500
        """,
        state=None,
    ),
    "geography_states": query(
        "Customers and sellers by state",
        "mart_geographic_analysis",
        sql=f"""
            SELECT
                state, region,
                sum(revenue) AS revenue,
                sum(seller_revenue) AS seller_revenue,
                sum(total_orders)::BIGINT AS total_orders
            FROM mart_geographic_analysis
            WHERE {is_chosen("state", "state")}
            GROUP BY state, region
            ORDER BY revenue DESC, state, region
        """,
        state=None,
    ),
}
