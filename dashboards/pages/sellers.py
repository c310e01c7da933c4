# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Sellers: revenue, punctuality and reviews of those who sell."""

import marimo

app = marimo.App(width="full", app_title="Sellers - Olist", css_file="../style.css")

with app.setup:
    import marimo as mo

    from dashboards import cells, charts, formats, look, notebook, series
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
        _states = _reader.options("seller_states")
    filters = mo.ui.dictionary(
        {
            "state": notebook.choice("State", "All states", _states, kept.get("state")),
            "min_orders": notebook.choice(
                "Orders", "Any number", [10, 50, 100, 500], kept.get("min_orders"), lambda orders: f"{orders} or more"
            ),
        }
    )
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    chosen = filters.value
    with notebook.reading(release) as _reader:
        meaning = cells.meanings(_reader.ask("definitions"))
        totals = _reader.values("seller_totals", **chosen)
        best = cells.in_cities(_reader.ask("sellers_best", **chosen))
        quality = cells.in_cities(_reader.ask("sellers_quality", **chosen))
        by_state = _reader.ask("sellers_by_state", **chosen)
        concentration = _reader.ask("sellers_concentration", **chosen)
        starts = _reader.ask("sellers_by_start", **chosen)
    content = Page(
        "sellers",
        release,
        [
            Figure("Sellers", formats.count(totals["sellers"]), "With the chosen state and orders"),
            Figure("Revenue", formats.money_short(totals["revenue"]), "Price and freight of sales"),
            Figure("Revenue of a seller", formats.money(totals["revenue_per_seller"]), "On average"),
            Figure(
                "Late deliveries",
                formats.percent(totals["late_rate"]),
                "Of delivered orders; one of several sellers counts for each",
            ),
            Figure(
                "Cancellations",
                formats.percent(totals["cancellation_rate"]),
                "Of all their orders; one of several sellers counts for each",
            ),
        ],
        [
            Panel(
                "Punctuality and reviews",
                charts.bubbles(
                    quality,
                    Field("late_rate", "Late deliveries", formats.PERCENT),
                    Field("average_review_score", "Mean review score", formats.DECIMAL),
                    Field("revenue", "Revenue", formats.MONEY),
                    named=[Field("seller", "Seller"), Field("city", "City"), Field("state", "State")],
                    kind=Field("region", "Region"),
                    colours=look.REGIONS,
                    up_domain=(1, 5),
                ),
                "Sellers with deliveries and reviews, up to 600 with the most revenue, as large as it; further down "
                "and to the right is worse",
                wide=True,
            ),
            Panel(
                "Revenue by state of the seller",
                charts.ranking(
                    by_state.head(12),
                    Field("state", "State"),
                    Field("revenue", "Revenue", formats.MONEY),
                    axis_format=formats.MONEY_WHOLE,
                    also=[
                        Field("sellers", "Sellers", formats.COUNT),
                        Field("late_rate", "Late deliveries", formats.PERCENT_FINE),
                    ],
                ),
                "Price and freight of sales, in BRL: the first 12 states",
            ),
            Panel(
                "How few sellers make most of the revenue",
                charts.curve(
                    concentration,
                    Field("percent_of_sellers", "Largest sellers, of those with revenue", formats.COUNT),
                    Field("share_of_revenue", "Share of revenue", formats.PERCENT_FINE),
                ),
                "Share of revenue that so many of the largest sellers make together",
            ),
            Panel(
                "New sellers",
                series.columns_by_month(
                    starts,
                    Field("first_month", "Month"),
                    Field("sellers", "New sellers", formats.COUNT),
                    axis_format=formats.COUNT,
                ),
                "Number of sellers by month of their first order",
                wide=True,
            ),
            Table(
                "Sellers with the most revenue",
                best,
                {
                    "revenue_rank": ("Rank", formats.count),
                    "seller_id": ("Seller", cells.short_id),
                    "city": ("City", str),
                    "state": ("State", str),
                    "total_orders": ("Orders", formats.count),
                    "revenue": ("Revenue", formats.money),
                    "average_order_value": ("Average order", formats.money),
                    "late_rate": ("Late", formats.percent),
                    "cancellation_rate": ("Canceled", formats.percent),
                    "average_review_score": ("Review score", formats.decimal_fine),
                    "tenure_days": ("Days since first order", formats.count),
                },
                "Ranked among all sellers",
            ),
            cells.words_of_page(
                meaning,
                {
                    "Sale": "orders.is_sale",
                    "Revenue": "orders.revenue",
                    "Late": "deliveries.is_late",
                    "Canceled": "orders.is_canceled",
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
