# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Executive: the business at a glance, month by month."""

import marimo

app = marimo.App(width="full", app_title="Executive - Olist", css_file="../style.css")

with app.setup:
    import marimo as mo
    import polars as pl

    from dashboards import cells, formats, look, notebook, series
    from dashboards.look import Field
    from dashboards.page import Figure, Page, Panel


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
        _months = _reader.options("executive_months")
    filters = mo.ui.dictionary(notebook.months(_months, kept))
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    period = filters.value
    with notebook.reading(release) as _reader:
        totals = _reader.values("executive_totals", **period)
        persons = _reader.values("executive_customers")
        by_month = _reader.ask("executive_by_month", **period)
        service = _reader.ask("executive_service", **period)
        reviews = _reader.ask("executive_reviews", **period)
        meaning = cells.meanings(_reader.ask("definitions"))
        payments = cells.in_words(_reader.ask("executive_payments", **period), "payment_type")
    month = Field("order_month", "Month")
    outcomes = {"Delivered": look.BLUE, "Other statuses": look.AMBER, "Canceled": look.RED}
    by_outcome = by_month.select(
        "order_month",
        pl.col("delivered_orders").alias("Delivered"),
        pl.col("other_orders").alias("Other statuses"),
        pl.col("canceled_orders").alias("Canceled"),
    ).unpivot(index="order_month", variable_name="outcome", value_name="orders")
    content = Page(
        "executive",
        release,
        [
            Figure("Revenue", formats.money_short(totals["revenue"]), "Price and freight of sales"),
            Figure("Orders", formats.count(totals["total_orders"]), formats.counted(totals["total_items"], "item")),
            Figure("Average order value", formats.money(totals["average_order_value"]), "Of orders that are sales"),
            Figure("Cancellation rate", formats.percent(totals["cancellation_rate"]), "Of all orders"),
            Figure("Freight share", formats.percent(totals["freight_share"]), "Of price and freight"),
            Figure(
                "Customers",
                formats.count(persons["customers"]),
                f"{formats.percent(persons['returning_share'])} ordered on several days, all months",
            ),
        ],
        [
            Panel(
                "Revenue by month",
                series.columns_by_month(
                    by_month,
                    month,
                    Field("revenue", "Revenue", formats.MONEY),
                    axis_format=formats.MONEY_SHORT,
                    also=[
                        Field("revenue_growth", "Change on month before", formats.PERCENT_FINE),
                        Field("cumulative_revenue", "Since the first month", formats.MONEY),
                    ],
                ),
                "Price and freight of orders that count as sales, in BRL, by month of purchase",
                wide=True,
            ),
            Panel(
                "Orders by outcome",
                series.stacked_by_month(
                    by_outcome,
                    month,
                    Field("orders", "Orders", formats.COUNT),
                    Field("outcome", "Outcome"),
                    outcomes,
                    axis_format=formats.COUNT,
                ),
                "Orders placed in the month, by status; a delivered one may lack the delivery date, by which Delivery "
                "and geography counts",
            ),
            Panel(
                "Payments by type",
                series.stacked_by_month(
                    payments,
                    month,
                    Field("payment_value", "Payments", formats.MONEY),
                    Field("payment_type", "Type"),
                    look.PAYMENT_COLOURS,
                    axis_format=formats.MONEY_SHORT,
                ),
                "Value of payments of all orders by month of purchase, in BRL",
            ),
            Panel(
                "Deliveries on time",
                series.lines(
                    service,
                    month,
                    Field("on_time_rate", "On time", formats.PERCENT_FINE),
                    Field("delivered_orders", "Deliveries", formats.COUNT),
                    axis_format=formats.PERCENT,
                    domain=(0, 1),
                ),
                "Share of delivered orders that came by the promised day; hollow: " + look.hardly_any("deliveries"),
            ),
            Panel(
                "Mean review score",
                series.lines(
                    reviews,
                    month,
                    Field("average_review_score", "Mean score", formats.DECIMAL_FINE),
                    Field("reviews", "Reviews", formats.COUNT),
                    axis_format=formats.DECIMAL,
                    colour=look.AMBER,
                    domain=(1, 5),
                ),
                "Mean of the scores from 1 to 5, by month of purchase; hollow: " + look.hardly_any("reviews"),
            ),
            Panel(
                "Average order value",
                series.lines(
                    by_month,
                    month,
                    Field("average_order_value", "Average order value", formats.MONEY),
                    Field("sale_orders", "Sales", formats.COUNT),
                    axis_format=formats.MONEY_SHORT,
                    colour=look.BLUE,
                ),
                "Revenue / orders that are sales, in BRL; hollow: " + look.hardly_any("sales"),
            ),
            Panel(
                "Cancellation rate",
                series.lines(
                    by_month,
                    month,
                    Field("cancellation_rate", "Canceled", formats.PERCENT_FINE),
                    Field("total_orders", "Orders", formats.COUNT),
                    axis_format=formats.PERCENT_FINE,
                    colour=look.RED,
                ),
                "Share of the orders placed in the month; hollow, or an arrow where beyond the axis: "
                + look.hardly_any("orders"),
            ),
            cells.words_of_page(
                meaning,
                {
                    "Sale": "orders.is_sale",
                    "Revenue": "orders.revenue",
                    "Delivered": "orders.is_delivered",
                    "Canceled": "orders.is_canceled",
                    "Late": "deliveries.is_late",
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
