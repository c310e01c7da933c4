"""Migration: what is served from where, and what proves that it may be."""

import marimo

app = marimo.App(width="full", app_title="Migration - Olist", css_file="../style.css")

with app.setup:
    import marimo as mo
    import polars as pl

    from dashboards import cells, charts, formats, look, notebook, series
    from dashboards.look import Field
    from dashboards.page import Badge, Cards, Figure, Page, Panel, Table


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
        _contexts = _reader.options("migration_contexts")
    filters = mo.ui.dictionary(
        {
            "context": notebook.choice("Rules of", "All contexts", _contexts, kept.get("context"), formats.words),
            "severity": notebook.choice(
                "that", "Reject or flag", ["reject", "flag"], kept.get("severity"), formats.words
            ),
        }
    )
    return (filters,)


@app.cell
def _(filters, kept, release):
    kept.update(filters.value)
    with notebook.reading(release) as _reader:
        totals = _reader.values("migration_totals")
        routes = _reader.ask("migration_routes")
        parity = cells.in_words(_reader.ask("migration_parity"), "verdict", "context")
        reconciliation = _reader.ask("migration_reconciliation")
        by_rule = cells.in_words(_reader.ask("migration_quarantine_by_rule"), "source_table")
        by_month = _reader.ask("migration_quarantine_by_month")
        rules = cells.in_words(_reader.ask("migration_rules", **filters.value), "context")
    verdicts = {"Identical": "green", "Explained": "amber", "Differs": "red"}
    rows = reconciliation.with_columns(
        pl.concat_str(pl.col("context"), pl.lit(" / "), pl.col("table_name").str.replace_all("_", " ")).alias("table")
    )
    same = parity.with_columns(
        pl.col("table_name")
        .replace_strict(dict(release.served_from), default=None, return_dtype=pl.String)
        .alias("served_from"),
        (pl.col("equal_rows") / pl.max_horizontal("rows_old", "rows_new", pl.lit(1))).alias("same"),
        pl.col("verdict").map_elements(lambda word: Badge(word, verdicts.get(word, "grey")), pl.Object).alias("mark"),
    )
    reasons = look.shades(by_rule["rule"].unique(maintain_order=True).to_list())
    content = Page(
        "migration",
        release,
        [
            Figure(
                "Rows accounted for",
                formats.count(totals["landing"]),
                f"Reconciled in {formats.count(totals['reconciled_tables'])} of {totals['staged_tables']} tables",
            ),
            Figure("Quarantined", formats.count(totals["quarantined"]), "Rows kept out, each with its rules"),
            Figure(
                "Parity",
                f"{formats.count(totals['green_tables'])} of {formats.count(totals['compared_tables'])}",
                f"Tables green, {formats.count(totals['identical_tables'])} of them identical",
            ),
            Figure(
                "Rules", formats.count(totals["rules"]), f"{formats.count(totals['broken_rules'])} broken by some row"
            ),
        ],
        [
            Cards(
                "Routes",
                [cells.route_card(row) for row in routes.iter_rows(named=True)],
            ),
            Panel(
                "Quarantined rows by rule",
                charts.stacked_ranking(
                    by_rule,
                    Field("source_table", "Table"),
                    Field("rows", "Rows", formats.COUNT),
                    Field("rule", "Rule"),
                    reasons,
                    axis_format=formats.COUNT,
                    height=look.HEIGHT,
                ),
                "By table; a row may break several rules",
            ),
            Panel(
                "Quarantined rows by month of purchase",
                series.stacked_by_month(
                    by_month,
                    Field("order_month", "Month"),
                    Field("rows", "Rows", formats.COUNT),
                    Field("rule", "Rule"),
                    reasons,
                    axis_format=formats.COUNT,
                ),
                "Rows that belong to an order",
            ),
            Panel(
                "Rows that are the same in old and new",
                charts.ranking(
                    same.drop("mark"),
                    Field("table_name", "Table"),
                    Field("same", "Same rows", formats.PERCENT_FINE),
                    axis_format=formats.PERCENT_FINE,
                    also=[
                        Field("rows_old", "Rows in old", formats.COUNT),
                        Field("rows_new", "Rows in new", formats.COUNT),
                    ],
                    kind=Field("verdict", "Verdict"),
                    colours=look.VERDICTS,
                ),
                "Share of the larger side; what differs in an explained table comes from quarantined rows alone",
            ),
            Table(
                "Reconciliation: landing = accepted + quarantined",
                rows,
                {
                    "table": ("Table", str),
                    "landing": ("Landing", formats.count),
                    "accepted": ("Accepted", formats.count),
                    "quarantined": ("Quarantined", formats.count),
                    "holds": ("Holds", cells.holds),
                },
                "Rows of the source files; deliveries validate the rows of orders a second time",
                wide=False,
            ),
            Table(
                "Parity of every table",
                same,
                {
                    "table_name": ("Table", str),
                    "context": ("Context", str),
                    "served_from": ("Served from", formats.words),
                    "mark": ("Verdict", lambda mark: mark),
                    "rows_old": ("Rows in old", formats.count),
                    "rows_new": ("Rows in new", formats.count),
                    "equal_rows": ("Same", formats.count),
                    "why": ("Why", formats.sentence),
                },
            ),
            Table(
                "Rules",
                rules,
                {
                    "code": ("Rule", str),
                    "statement": ("What must hold", str),
                    "context": ("Context", str),
                    "table_name": ("Table", str),
                    "severity": ("Severity", cells.severity),
                    "rows": ("Rows that break it", formats.count),
                    "replaces": ("Replaces in the old SQL", str),
                },
                "The most broken first",
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
