"""The queries of the products page: what sells, in which categories, and how it is reviewed."""

from __future__ import annotations

from dashboards.queries.query import Query, is_chosen, query

_PRODUCTS = f"FROM mart_product_performance WHERE {is_chosen('category', 'category')}"

PRODUCTS: dict[str, Query] = {
    "product_categories": query(
        "Categories with products",
        "mart_product_performance",
        sql="SELECT DISTINCT category FROM mart_product_performance WHERE category IS NOT NULL ORDER BY category",
    ),
    "product_totals": query(
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
    "product_categories_by_revenue": query(
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
    "product_concentration": query(
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
    "product_review_scores": query(
        "Reviews by score",
        "fact_reviews",
        sql="""
            SELECT review_score, sentiment, count(*) AS reviews, count(*) FILTER (has_comment) AS with_comment
            FROM fact_reviews
            GROUP BY review_score, sentiment
            ORDER BY review_score, sentiment
        """,
    ),
    "product_best": query(
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
