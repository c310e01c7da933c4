# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Sales: when and what is bought, and how it is paid."""

import marimo

app = marimo.App(width="full", app_title="Sales - Olist", css_file="../style.css")

with app.setup:
    import marimo as mo
    import polars as pl

    from dashboards import cells, charts, formats, look, notebook, series
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
        _months, _statuses = _reader.options("sales_months"), _reader.options("sales_statuses")
    filters = mo.ui.dictionary(
        {
            **notebook.months(_months, kept),
            "status": notebook.choice("Status", "All orders", _statuses, kept.get("status"), formats.words),
        }
    )
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    chosen = filters.value
    with notebook.reading(release) as _reader:
        meaning = cells.meanings(_reader.ask("definitions"))
        totals = _reader.values("sales_totals", **chosen)
        by_day = _reader.ask("sales_by_day", **chosen)
        by_hour = _reader.ask("sales_by_weekday_and_hour", **chosen)
        by_status = cells.in_words(_reader.ask("sales_by_status", **chosen), "order_status")
        by_category = cells.in_words(_reader.ask("sales_by_category", **chosen), "category")
        by_type = cells.in_words(_reader.ask("sales_by_payment_type", **chosen), "payment_type")
        instalments = _reader.ask("sales_by_instalments", **chosen)
    weekdays = dict(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1))
    by_hour = by_hour.with_columns(pl.col("weekday").replace_strict(weekdays, return_dtype=pl.String))
    content = Page(
        "sales",
        release,
        [
            Figure("Revenue", formats.money_short(totals["revenue"]), "Price and freight of sales"),
            Figure("Orders", formats.count(totals["orders"]), f"Sales: {formats.count(totals['sale_orders'])}"),
            Figure("Average order value", formats.money(totals["average_order_value"]), "Of orders that are sales"),
            Figure(
                "Items", formats.count(totals["items"]), f"{formats.decimal(totals['items_per_order'], 2)} an order"
            ),
            Figure(
                "Orders with several sellers",
                formats.count(totals["multivendor_orders"]),
                f"{formats.percent(totals['multivendor_share'])} of the orders",
            ),
        ],
        [
            Panel(
                "Revenue by day",
                series.area_by_day(
                    by_day,
                    Field("full_date", "Day", formats.DAY),
                    Field("revenue", "Revenue", formats.MONEY),
                    Field("revenue_rolling", "Mean of 4 weeks", formats.MONEY),
                    axis_format=formats.MONEY_SHORT,
                ),
                "In BRL; the line is the mean of a day over the last four weeks",
                wide=True,
            ),
            Panel(
                "Categories with the most revenue",
                charts.ranking(
                    by_category,
                    Field("category", "Category"),
                    Field("revenue", "Revenue", formats.MONEY),
                    axis_format=formats.MONEY_WHOLE,
                    also=[Field("items", "Items", formats.COUNT)],
                ),
                "Price and freight of items in orders that count as sales",
            ),
            Panel(
                "Orders by weekday and hour",
                charts.heatmap(
                    by_hour,
                    Field("hour", "Hour of the day"),
                    Field("weekday", ""),
                    Field("orders", "Orders", formats.COUNT),
                    down_order=list(weekdays.values()),
                    height=318,
                ),
                "Number of orders by time of purchase, darker for more",
            ),
            Panel(
                "Payments by type",
                charts.ranking(
                    by_type,
                    Field("payment_type", "Type"),
                    Field("payment_value", "Payments", formats.MONEY),
                    axis_format=formats.MONEY_WHOLE,
                    also=[
                        Field("payments", "Number", formats.COUNT),
                        Field("average_payment", "Mean payment", formats.MONEY),
                    ],
                    colour=look.TEAL,
                    height=220,
                ),
                "Value of all payments of the chosen orders",
            ),
            Panel(
                "Credit card payments by number of instalments",
                charts.columns(
                    instalments,
                    Field("instalments", "Instalments"),
                    Field("payments", "Payments", formats.COUNT),
                    axis_format=formats.COUNT,
                    also=[Field("average_payment", "Mean payment", formats.MONEY)],
                    colour=look.TEAL,
                    height=182,
                ),
                "Number of payments by credit card",
            ),
            Panel(
                "Orders by status",
                charts.ranking(
                    by_status,
                    Field("order_status", "Status"),
                    Field("orders", "Orders", formats.COUNT),
                    axis_format=formats.COUNT,
                    also=[Field("total_amount", "Price and freight", formats.MONEY)],
                ),
                "Number of orders by the status that they have in the source",
                wide=True,
            ),
            cells.words_of_page(
                meaning,
                {
                    "Sale": "orders.is_sale",
                    "Revenue": "orders.revenue",
                    "Several sellers": "orders.is_multivendor",
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
