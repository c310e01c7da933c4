# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Products: what sells, and how it is reviewed."""

import marimo

app = marimo.App(width="full", app_title="Products - Olist", css_file="../style.css")

with app.setup:
    import marimo as mo
    import polars as pl

    from dashboards import cells, charts, formats, look, notebook
    from dashboards.look import Field
    from dashboards.page import Figure, Page, Panel, Table


@app.cell
def _():
    # The release that is shown, and what was chosen in the filters, which the next release keeps.
    get_release, set_release = mo.state(notebook.first_release())
    pulse = notebook.clock()
    kept: dict[str, object] = {}
    return get_release, kept, pulse, set_release


@app.cell
def _(get_release, pulse, set_release):
    if (served := notebook.another(get_release(), pulse)) is not None:
        set_release(served)
    return


@app.cell
def _(get_release):
    release = get_release()
    mo.stop(release is None, notebook.missing())
    return (release,)


@app.cell
def _(kept, release):
    with notebook.reading(release) as _reader:
        _categories = _reader.options("product_categories")
    filters = mo.ui.dictionary(
        {"category": notebook.choice("Category", "All categories", _categories, kept.get("category"), formats.words)}
    )
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    chosen = filters.value
    with notebook.reading(release) as _reader:
        meaning = cells.meanings(_reader.ask("definitions"))
        totals = _reader.values("product_totals", **chosen)
        categories = cells.in_words(_reader.ask("product_categories_by_revenue"), "category")
        concentration = _reader.ask("product_concentration", **chosen)
        scores = cells.in_words(_reader.ask("product_review_scores"), "sentiment")
        best = cells.in_words(_reader.ask("product_best", **chosen), "category")
    content = Page(
        "products",
        release,
        [
            Figure("Revenue", formats.money_short(totals["revenue"]), "Price and freight of sales"),
            Figure("Items sold", formats.count(totals["sale_items"]), "In orders that count as sales"),
            Figure("Revenue of an item", formats.money(totals["revenue_per_item"]), "On average"),
            Figure(
                "Products",
                formats.count(totals["products"]),
                f"{formats.count(totals['sold_products'])} with sales",
            ),
            Figure("Categories", formats.count(totals["categories"])),
        ],
        [
            Panel(
                "Categories with the most revenue",
                charts.ranking(
                    categories.head(15),
                    Field("category", "Category"),
                    Field("revenue", "Revenue", formats.MONEY),
                    axis_format=formats.MONEY_WHOLE,
                    also=[
                        Field("sale_items", "Items sold", formats.COUNT),
                        Field("average_review_score", "Mean review score", formats.DECIMAL_FINE),
                    ],
                ),
                "The first 15 of all categories",
            ),
            Panel(
                "Revenue and reviews of categories",
                charts.bubbles(
                    categories.filter(pl.col("average_review_score").is_not_null() & (pl.col("revenue") > 0)),
                    Field("revenue", "Revenue, each line ten times the one before", formats.MONEY_SHORT),
                    Field("average_review_score", "Mean review score", formats.DECIMAL),
                    Field("sale_items", "Items sold", formats.COUNT),
                    named=[Field("category", "Category")],
                    logarithmic=True,
                    height=358,
                ),
                "A bubble a category, as large as the items that it sells; revenue grows tenfold from line to line",
            ),
            Panel(
                "How few products make most of the revenue",
                charts.curve(
                    concentration,
                    Field("percent_of_products", "Best-selling products, of those with revenue", formats.COUNT),
                    Field("share_of_revenue", "Share of revenue", formats.PERCENT_FINE),
                ),
                "Share of revenue that so many of the best-selling products make together",
            ),
            Panel(
                "Reviews by score",
                charts.columns(
                    scores,
                    Field("review_score", "Score"),
                    Field("reviews", "Reviews", formats.COUNT),
                    axis_format=formats.COUNT,
                    also=[Field("with_comment", "With a comment", formats.COUNT)],
                    kind=Field("sentiment", "Sentiment"),
                    colours={"Negative": look.RED, "Neutral": look.GREY, "Positive": look.TEAL},
                ),
                "Number of reviews of all categories by score. " + meaning.get("order_reviews.sentiment", ""),
            ),
            Table(
                "Best-selling products",
                best,
                {
                    "revenue_rank": ("Rank", formats.count),
                    "product_id": ("Product", cells.short_id),
                    "category": ("Category", str),
                    "sale_items": ("Items sold", formats.count),
                    "revenue": ("Revenue", formats.money),
                    "average_price": ("Mean price", formats.money),
                    "freight_share": ("Freight share", formats.percent),
                    "share_of_category": ("Share of category", formats.percent),
                    "average_review_score": ("Review score", formats.decimal_fine),
                },
                "Ranked among all products",
            ),
            cells.words_of_page(
                meaning,
                {
                    "Sale": "orders.is_sale",
                    "Revenue": "orders.revenue",
                    "Sentiment": "order_reviews.sentiment",
                    "Category": "products.category",
                },
            ),
        ],
    )
    return (content,)


@app.cell
def _(content):
    notebook.show_head(content)
    return


@app.cell
def _(filters, pulse):
    notebook.bar(filters, pulse)
    return


@app.cell
def _(content):
    notebook.show(content)
    return


if __name__ == "__main__":
    app.run()
