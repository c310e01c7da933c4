"""The queries of the migration page: what is served from where, and the proof that it may be."""

from __future__ import annotations

from dashboards.queries.query import Query, is_chosen, query

MIGRATION: dict[str, Query] = {
    "migration_routes": query(
        "What each context serves",
        "about.migration_routes",
        sql="""
            SELECT position, context, route, changed_at, changed_by, reason
            FROM about.migration_routes ORDER BY position
        """,
    ),
    "migration_totals": query(
        "The migration in figures",
        "about.migration_reconciliation",
        "about.migration_parity",
        "about.migration_rules",
        sql="""
            WITH own_rows AS (
                -- A context may stage a second table of another's landing rows; those are counted once.
                SELECT landing, accepted, quarantined FROM about.migration_reconciliation
                WHERE landing_table = table_name
            )
            SELECT
                (SELECT sum(landing)::BIGINT FROM own_rows) AS landing,
                (SELECT sum(accepted)::BIGINT FROM own_rows) AS accepted,
                (SELECT sum(quarantined)::BIGINT FROM own_rows) AS quarantined,
                (
                    SELECT sum(quarantined)::BIGINT FROM about.migration_reconciliation
                    WHERE landing_table <> table_name
                ) AS quarantined_again,
                (SELECT count(*) FROM about.migration_reconciliation) AS staged_tables,
                (SELECT count(*) FROM about.migration_reconciliation WHERE holds) AS reconciled_tables,
                (SELECT count(*) FROM about.migration_parity) AS compared_tables,
                (SELECT count(*) FROM about.migration_parity WHERE is_green) AS green_tables,
                (SELECT count(*) FROM about.migration_parity WHERE verdict = 'identical') AS identical_tables,
                (SELECT count(*) FROM about.migration_rules) AS rules,
                (SELECT count(*) FROM about.migration_rules WHERE "rows" > 0) AS broken_rules
        """,
    ),
    "migration_criteria": query(
        "The success criteria",
        "about.migration_criteria",
        sql="""
            SELECT name, context, is_green, value, target, evidence, since
            FROM about.migration_criteria
            ORDER BY position
        """,
    ),
    "migration_timeline": query(
        "What happened, the latest first",
        "about.migration_timeline",
        sql="""
            SELECT "at", what, context, "by", why
            FROM about.migration_timeline
            ORDER BY "at" DESC, what, context, why
        """,
    ),
    "migration_speed": query(
        "The time of old and new, by run",
        "about.migration_speed",
        sql='SELECT "at", run_id, old_seconds, new_seconds, ratio FROM about.migration_speed ORDER BY "at", run_id',
    ),
    "migration_quarantine_share": query(
        "Share of quarantine by context and run",
        "about.migration_quarantine_share",
        sql="""
            SELECT "at", run_id, context, share
            FROM about.migration_quarantine_share
            ORDER BY "at", run_id, context
        """,
    ),
    "migration_runs": query(
        "Runs that ended and that failed, by day",
        "about.migration_runs",
        sql="SELECT day, runs, failed, runs - failed AS succeeded FROM about.migration_runs ORDER BY day",
    ),
    "migration_parity": query(
        "Parity of every table",
        "about.migration_parity",
        sql="""
            SELECT context, table_name, verdict, is_green, rows_old, rows_new, equal_rows, measures, why, recorded_at
            FROM about.migration_parity
            ORDER BY context, table_name
        """,
    ),
    "migration_reconciliation": query(
        "Landing rows, accepted and quarantined",
        "about.migration_reconciliation",
        sql="""
            SELECT context, table_name, landing, accepted, quarantined, holds
            FROM about.migration_reconciliation
            WHERE landing IS NOT NULL
            ORDER BY context, table_name
        """,
    ),
    "migration_quarantine_by_rule": query(
        "Quarantined rows by rule and table",
        "about.migration_quarantine",
        sql="""
            SELECT rule, source_table, sum("rows")::BIGINT AS "rows"
            FROM about.migration_quarantine
            GROUP BY rule, source_table
            ORDER BY "rows" DESC, rule, source_table
        """,
    ),
    "migration_quarantine_by_month": query(
        "Quarantined rows by order month and rule",
        "about.migration_quarantine",
        sql="""
            SELECT order_month, rule, sum("rows")::BIGINT AS "rows"
            FROM about.migration_quarantine
            WHERE order_month IS NOT NULL
            GROUP BY order_month, rule
            ORDER BY order_month, rule
        """,
    ),
    "migration_rules": query(
        "Every rule, with the rows that broke it",
        "about.migration_rules",
        sql=f"""
            SELECT context, table_name, code, severity, statement, replaces, "rows"
            FROM about.migration_rules
            WHERE {is_chosen("context", "context")} AND {is_chosen("severity", "severity")}
            ORDER BY "rows" DESC, context, table_name, code
        """,
        context=None,
        severity=None,
    ),
    "migration_contexts": query(
        "Contexts with rules",
        "about.migration_rules",
        sql="SELECT DISTINCT context FROM about.migration_rules ORDER BY context",
    ),
}
