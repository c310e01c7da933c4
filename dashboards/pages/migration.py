# /// script
# [tool.marimo.display]
# theme = "system"
# ///
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
        criteria = cells.in_words(_reader.ask("migration_criteria"), "name", "context")
        timeline = _reader.ask("migration_timeline")
        speed = _reader.ask("migration_speed")
        shares = cells.in_words(_reader.ask("migration_quarantine_share"), "context")
        runs = _reader.ask("migration_runs")
        rules = cells.in_words(_reader.ask("migration_rules", **filters.value), "context")
    rows = reconciliation.with_columns(
        pl.concat_str(pl.col("context"), pl.lit(" / "), pl.col("table_name").str.replace_all("_", " ")).alias("table")
    )
    same = parity.with_columns(
        pl.col("table_name")
        .replace_strict(dict(release.served_from), default=None, return_dtype=pl.String)
        .alias("served_from"),
        (pl.col("equal_rows") / pl.max_horizontal("rows_old", "rows_new", pl.lit(1))).alias("same"),
        pl.col("verdict")
        .map_elements(lambda word: Badge(word, cells.VERDICTS.get(word, "grey")), pl.Object)
        .alias("mark"),
    )
    scored = criteria.with_columns(
        pl.col("context").replace("", "All").alias("context"),
        pl.col("is_green").map_elements(cells.is_green, pl.Object, skip_nulls=False).alias("state"),
    )
    green = criteria.filter(pl.col("is_green")).height
    by_run = speed.rename({"old_seconds": "Old", "new_seconds": "New"}).unpivot(
        ["Old", "New"], index=["at", "run_id"], variable_name="side", value_name="seconds"
    )
    outcomes = runs.rename({"succeeded": "Succeeded", "failed": "Failed"}).unpivot(
        ["Succeeded", "Failed"], index="day", variable_name="outcome", value_name="number"
    )
    reasons = look.shades(by_rule["rule"].unique(maintain_order=True).to_list())
    content = Page(
        "migration",
        release,
        [
            Figure("Criteria", f"{formats.count(green)} of {formats.count(criteria.height)}", "Green, by context"),
            Figure(
                "Rows accounted for",
                formats.count(totals["landing"]),
                f"Reconciled in {formats.count(totals['reconciled_tables'])} of {totals['staged_tables']} tables",
            ),
            Figure(
                "Quarantined",
                formats.count(totals["quarantined"]),
                f"Rows of the source files, each once; {formats.count(totals['quarantined_again'])} of them also as "
                "deliveries",
            ),
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
                "Where the dashboards read each context from, since when, by whom and why",
                [cells.route_card(row) for row in routes.iter_rows(named=True)],
            ),
            Table(
                "Scorecard: is the migration complete?",
                scored,
                {
                    "name": ("Criterion", str),
                    "context": ("Context", str),
                    "state": ("State", lambda mark: mark),
                    "value": ("Now", str),
                    "target": ("Target", str),
                    "since": ("Since (UTC)", formats.moment),
                    "evidence": ("Evidence", str),
                },
                "The success criteria as the run of this release measured them, each with its evidence",
            ),
            Panel(
                "New against old in time",
                series.grouped_by_run(
                    by_run,
                    Field("at", "Run", formats.MOMENT),
                    Field("seconds", "Seconds", formats.DECIMAL),
                    Field("side", "Side"),
                    {"Old": look.GREY, "New": look.BLUE},
                ),
                "Seconds of each whole run in the old SQL, and in intake, validation and the new SQL",
            ),
            Panel(
                "Share of quarantine by run",
                series.lines_by_run(
                    shares,
                    Field("at", "Run", formats.MOMENT),
                    Field("share", "Quarantined", formats.PERCENT_FINE),
                    Field("context", "Context"),
                    look.shades(shares["context"].unique(maintain_order=True).to_list()),
                ),
                "Quarantined rows as a share of the landing rows that a context validates",
            ),
            Panel(
                "Runs by day",
                charts.stacked_columns(
                    outcomes,
                    Field("day", "Day", formats.DAY),
                    Field("number", "Runs", formats.COUNT),
                    Field("outcome", "Outcome"),
                    {"Succeeded": look.TEAL, "Failed": look.RED},
                ),
                "Number of runs of any job that ended, by how they ended",
            ),
            Table(
                "Timeline",
                timeline,
                {
                    "at": ("At (UTC)", formats.moment),
                    "what": ("What", str),
                    "context": ("Context", formats.words),
                    "by": ("Who", str),
                    "why": ("Why", str),
                },
                "Routes, releases, cutovers, rollbacks and approvals, the latest first",
                wide=False,
            ),
            Panel(
                "Broken rules by table",
                charts.stacked_ranking(
                    by_rule,
                    Field("source_table", "Table"),
                    Field("rows", "Rows", formats.COUNT),
                    Field("rule", "Rule"),
                    reasons,
                    axis_format=formats.COUNT,
                    height=look.HEIGHT,
                ),
                "Quarantined rows under each rule that they break, so a row of several rules counts several times",
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
                "The same, of rows that belong to an order",
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
                "Share of the larger side. What differs in an explained table comes from quarantined rows alone; "
                "one of them changes the whole row of a month, so see by how much below: its measures",
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
                "Rows of each table; deliveries validate those of orders a second time, so they count here again",
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
                    "measures": ("Its measures, old to new", str),
                    "why": ("Why", str),
                },
                "Old beside new, table by table; a table is green when it is identical, explained or approved",
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
