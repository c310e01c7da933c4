# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Customers: who they are, by segment, RFM and cohort."""

import marimo

app = marimo.App(width="full", app_title="Customers - Olist", css_file="../style.css")

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
        _regions, _segments = _reader.options("customer_regions"), _reader.options("customer_rfm_segments")
    filters = mo.ui.dictionary(
        {
            "region": notebook.choice("Region", "All of Brazil", _regions, kept.get("region")),
            "rfm_segment": notebook.choice("RFM segment", "All segments", _segments, kept.get("rfm_segment")),
        }
    )
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    chosen = filters.value
    with notebook.reading(release) as _reader:
        meaning = cells.meanings(_reader.ask("definitions"))
        totals = _reader.values("customer_totals", **chosen)
        by_rfm = _reader.ask("customers_by_rfm_segment", **chosen)
        scores = _reader.ask("customers_by_rfm_scores", **chosen)
        by_segment = cells.in_words(
            _reader.ask("customers_by_segment", **chosen), "customer_segment", "lifetime_value_tier"
        )
        by_state = _reader.ask("customers_by_state", **chosen)
        retention = _reader.ask("cohort_retention")
        value = _reader.ask("cohort_value")
        repeat = _reader.ask("new_and_repeat_orders")
    orders = repeat.rename({"first_orders": "First order", "repeat_orders": "Repeat order"}).unpivot(
        index="order_month", variable_name="kind", value_name="orders"
    )
    by_cohort = pl.col("cohort_month").dt.strftime(formats.MONTH)
    cohorts = retention.with_columns(by_cohort)
    values = value.with_columns(by_cohort)
    content = Page(
        "customers",
        release,
        [
            Figure("Customers", formats.count(totals["customers"]), formats.counted(totals["orders"], "order")),
            Figure("Spent", formats.money_short(totals["spent"]), "Price and freight of sales"),
            Figure("Spent by a customer", formats.money(totals["spent_per_customer"]), "On average"),
            Figure("Came back", formats.percent(totals["returning_share"]), "Ordered on more than one day"),
            Figure("Churned", formats.percent(totals["churn_rate"]), "No order for a long time: see the words below"),
        ],
        [
            Panel(
                "Customers by RFM segment",
                charts.ranking(
                    by_rfm,
                    Field("rfm_segment", "Segment"),
                    Field("customers", "Customers", formats.COUNT),
                    axis_format=formats.COUNT,
                    also=[
                        Field("spent", "Spent", formats.MONEY),
                        Field("spent_per_customer", "Spent by a customer", formats.MONEY),
                        Field("churn_rate", "Churned", formats.PERCENT_FINE),
                    ],
                    height=270,
                ),
                "Number of customers by their recency, frequency and monetary scores together",
            ),
            Panel(
                "Recency and monetary scores",
                charts.heatmap(
                    scores,
                    Field("recency_score", "Recency score, 5 the most recent"),
                    Field("monetary_score", "Monetary score, 5 the most spent"),
                    Field("customers", "Customers", formats.COUNT),
                    down_order=[5, 4, 3, 2, 1],
                    also=[Field("spent_per_customer", "Spent by a customer", formats.MONEY)],
                    label_format=formats.COUNT,
                    height=200,
                ),
                "Number of customers in each pair of fifths, darker for more",
            ),
            Panel(
                "Spending by RFM segment",
                charts.ranking(
                    by_rfm.sort("spent", descending=True),
                    Field("rfm_segment", "Segment"),
                    Field("spent", "Spent", formats.MONEY),
                    axis_format=formats.MONEY_WHOLE,
                    also=[Field("spent_per_customer", "Spent by a customer", formats.MONEY)],
                    colour=look.TEAL,
                    height=220,
                ),
                "Price and freight of sales, in BRL",
            ),
            Panel(
                "Customer segments by value tier",
                charts.stacked_ranking(
                    by_segment,
                    Field("customer_segment", "Segment"),
                    Field("customers", "Customers", formats.COUNT),
                    Field("lifetime_value_tier", "Value tier"),
                    {"High": look.BLUE, "Medium": look.TEAL, "Low": look.GREY},
                    axis_format=formats.PERCENT,
                    share=True,
                    height=160,
                ),
                "Share of the customers of each segment. Tiers: " + meaning.get("persons.lifetime_value_tier", ""),
            ),
            Panel(
                "Customers by state",
                charts.columns(
                    by_state,
                    Field("state", ""),
                    Field("customers", "Customers", formats.COUNT),
                    axis_format=formats.COUNT,
                    also=[
                        Field("spent", "Spent", formats.MONEY),
                        Field("spent_per_customer", "Spent by a customer", formats.MONEY),
                    ],
                ),
                "Number of customers by the state of their latest order",
                wide=True,
            ),
            Panel(
                "Customers who order again, by month of first order",
                charts.heatmap(
                    cohorts,
                    Field("months_since", "Months since the first order"),
                    Field("cohort_month", ""),
                    Field("retention_rate", "Order again", formats.PERCENT_FINE),
                    down_order=cohorts["cohort_month"].unique(maintain_order=True).to_list(),
                    also=[
                        Field("active_customers", "Customers who ordered", formats.COUNT),
                        Field("cohort_size", "Customers of the month", formats.COUNT),
                    ],
                    height=440,
                    weight="cohort_size",
                ),
                "All customers: share of a month's new customers who order again in a later month; "
                f"grey: {look.hardly_any('new customers')}",
            ),
            Panel(
                "Revenue of a customer since the first order",
                charts.heatmap(
                    values,
                    Field("months_since", "Months since the first order"),
                    Field("cohort_month", ""),
                    Field("cumulative_revenue_per_customer", "Revenue of a customer", formats.MONEY),
                    down_order=values["cohort_month"].unique(maintain_order=True).to_list(),
                    also=[Field("cohort_size", "Customers of the month", formats.COUNT)],
                    height=440,
                    weight="cohort_size",
                ),
                "All customers: mean revenue in BRL, by month of first order; "
                f"grey: {look.hardly_any('new customers')}",
            ),
            Panel(
                "First and repeat orders",
                series.stacked_by_month(
                    orders,
                    Field("order_month", "Month"),
                    Field("orders", "Orders", formats.COUNT),
                    Field("kind", "Kind"),
                    {"First order": look.BLUE, "Repeat order": look.AMBER},
                    axis_format=formats.COUNT,
                ),
                "All customers: orders of a customer's first moment, and later ones, by month of purchase",
                wide=True,
            ),
            cells.words_of_page(
                meaning,
                {
                    "Segment": "persons.customer_segment",
                    "RFM segment": "persons.rfm_segment",
                    "Recency score": "persons.recency_score",
                    "Frequency score": "persons.frequency_score",
                    "Monetary score": "persons.monetary_score",
                    "Value tier": "persons.lifetime_value_tier",
                    "Came back": "persons.has_returned",
                    "Churned": "persons.is_churned",
                    "Sale": "orders.is_sale",
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
