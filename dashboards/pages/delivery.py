# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Delivery and geography: how long orders take, how punctual they are, and where they go."""

import marimo

app = marimo.App(width="full", app_title="Delivery and geography - Olist", css_file="../style.css")

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
        _months, _states = _reader.options("delivery_months"), _reader.options("delivery_states")
    filters = mo.ui.dictionary(
        {
            **notebook.months(_months, kept),
            "state": notebook.choice("State of the customer", "All of Brazil", _states, kept.get("state")),
        }
    )
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    chosen = filters.value
    with notebook.reading(release) as _reader:
        meaning = cells.meanings(_reader.ask("definitions"))
        by_status = _reader.values("delivery_status_totals", **chosen)
        totals = _reader.values("delivery_totals", **chosen)
        average = _reader.values("delivery_average_days", **chosen)
        times = _reader.ask("delivery_times", **chosen)
        punctuality = cells.in_words(_reader.ask("delivery_punctuality", **chosen), "punctuality")
        by_state = _reader.ask("delivery_by_state", **chosen)
        cities = cells.in_cities(_reader.ask("geography_cities", state=chosen["state"]))
        states = _reader.ask("geography_states", state=chosen["state"])
    punctuality = punctuality.with_columns(pl.col("orders").sum().over("order_month").alias("deliveries"))
    legs = {"Approval": "approval_days", "Handling by the seller": "handling_days", "Transport": "transit_days"}
    by_leg = (
        look.weighty(times, "deliveries")
        .select("order_month", **{leg: pl.col(name) for leg, name in legs.items()})
        .unpivot(index="order_month", variable_name="leg", value_name="days")
    )
    content = Page(
        "delivery",
        release,
        [
            Figure(
                "With a delivery date",
                formats.count(totals["delivered_orders"]),
                f"Of {formats.counted(totals['total_orders'], 'order')}; with the status delivered:"
                f" {formats.count(by_status['orders'])}",
            ),
            Figure("On time", formats.percent(totals["on_time_rate"]), "On the promised day or before"),
            Figure("Very late", formats.count(totals["very_late_orders"]), "Deliveries: see Punctuality"),
            Figure("Days to deliver", formats.decimal(average["delivery_days"]), "From purchase to customer"),
            Figure("Against the promise", cells.signed_days(average["days_vs_estimate"]), "Mean of those with a date"),
            Figure("Freight of an order", formats.money(totals["freight_per_order"]), "On average"),
        ],
        [
            Panel(
                "Punctuality",
                series.stacked_by_month(
                    look.weighty(punctuality, "deliveries"),
                    Field("order_month", "Month"),
                    Field("orders", "Deliveries", formats.COUNT),
                    Field("punctuality", "Delivered"),
                    {"On time": look.TEAL, "Slightly late": look.AMBER, "Very late": look.RED},
                    axis_format=formats.PERCENT,
                    share=True,
                ),
                "Share of deliveries, by month of purchase. "
                f"{meaning.get('deliveries.delivery_performance', '')} Left out: {look.hardly_any('deliveries')}",
            ),
            Panel(
                "Days on the way",
                series.stacked_by_month(
                    by_leg,
                    Field("order_month", "Month"),
                    Field("days", "Days", formats.DECIMAL),
                    Field("leg", "Leg"),
                    dict(zip(legs, (look.GREY, look.AMBER, look.BLUE), strict=True)),
                    axis_format=formats.COUNT,
                ),
                f"Mean days, by month of purchase; left out: {look.hardly_any('deliveries')}",
            ),
            Panel(
                "Where customers are, and where deliveries are late",
                charts.place_map(
                    cities,
                    Field("revenue", "Revenue", formats.MONEY),
                    Field("late_rate", "Late deliveries", formats.PERCENT_FINE),
                    [Field("city", "City"), Field("state", "State")],
                    [
                        Field("total_orders", "Orders", formats.COUNT),
                        Field("average_delivery_days", "Days to deliver", formats.DECIMAL),
                    ],
                ),
                f"All months; as large as a city's revenue, red from {formats.percent_whole(look.REDDEST)} late",
            ),
            Panel(
                "Sold from and bought in",
                charts.diverging(
                    states.head(20),
                    Field("state", "State"),
                    Field("seller_revenue", "Revenue of its sellers", formats.MONEY),
                    Field("revenue", "Revenue from its customers", formats.MONEY),
                    height=520,
                ),
                "All months, in BRL: the first 20 states",
            ),
            Panel(
                "Late deliveries by state",
                charts.columns(
                    by_state.sort("late_rate", descending=True),
                    Field("state", ""),
                    Field("late_rate", "Late deliveries", formats.PERCENT_FINE),
                    axis_format=formats.PERCENT,
                    also=[Field("delivered_orders", "Deliveries", formats.COUNT)],
                    colour=look.RED,
                    height=200,
                ),
                "Share of the orders with a delivery date that came after the promised day",
            ),
            Panel(
                "Days to deliver by state",
                charts.columns(
                    by_state.sort("delivery_days", descending=True),
                    Field("state", ""),
                    Field("delivery_days", "Days to deliver", formats.DECIMAL),
                    axis_format=formats.COUNT,
                    also=[Field("delivered_orders", "Deliveries", formats.COUNT)],
                    height=200,
                ),
                "Mean days from purchase to customer",
            ),
            cells.words_of_page(
                meaning,
                {
                    "Delivered": "deliveries.is_delivered",
                    "Punctuality": "deliveries.delivery_performance",
                    "Late": "deliveries.is_late",
                    "Approval": "deliveries.approval_hours",
                    "Handling by the seller": "deliveries.handling_days",
                    "Transport": "deliveries.transit_days",
                    "Revenue": "orders.revenue",
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
