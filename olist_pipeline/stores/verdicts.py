"""Verdicts: the stored results of parity and reconciliation, which gates read.

What belongs here: recording a verdict and reading the latest of each table. What does not: comparing, and
what a gate does with a verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from olist_pipeline.stores.postgres import query, transaction
from olist_pipeline.stores.routes import last_rollbacks

ComparisonKind = Literal["parity", "reconciliation"]


@dataclass(frozen=True)
class Verdict:
    """One stored verdict. `subject` is the fingerprint of what was compared.

    `months` names the months that were compared (`2018-03 to 2018-05`), None where it was the whole table.
    """

    context: str
    table: str
    comparison: ComparisonKind
    verdict: str
    is_green: bool
    subject: str
    report: Mapping[str, Any]
    run_id: str
    recorded_at: datetime | None = None
    months: str | None = None

    @property
    def why(self) -> str:
        """Why the verdict is what it is, in one line; a report of an earlier version has the beginning of it alone."""
        return str(self.report.get("sentence") or self.report["sentences"][0])


def record(url: str, verdict: Verdict) -> None:
    """Append a verdict to the history."""
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO data_quality.parity_results
                (context, table_name, comparison, verdict, is_green, subject, report, run_id, months)
            VALUES (%(context)s, %(table)s, %(comparison)s, %(verdict)s, %(is_green)s, %(subject)s, %(report)s,
                    %(run_id)s, %(months)s)
            """,
            {**vars(verdict), "report": _storable(verdict.report)},
        )


def _storable(report: Mapping[str, Any]) -> str:
    """Return a report as JSON that PostgreSQL takes, which knows neither NaN, nor infinities, nor the character NUL."""
    text = json.dumps(json.loads(json.dumps(report, default=str), parse_constant=str))
    return re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", r"\1\\ufffd", text)


def latest(url: str, comparison: ComparisonKind, *, whole: bool = True) -> dict[tuple[str, str], Verdict]:
    """Return the latest verdict of each (context, table): on the whole table, or on whatever months of it."""
    rows = query(
        url,
        """
        SELECT DISTINCT ON (context, table_name) context, table_name AS "table", comparison, verdict, is_green,
               subject, report, run_id, recorded_at, months
        FROM data_quality.parity_results WHERE comparison = %s AND (months IS NULL OR NOT %s)
        ORDER BY context, table_name, result_id DESC
        """,
        [comparison, whole],
    )
    return {(row["context"], row["table"]): Verdict(**row) for row in rows}


def parity_rows(url: str) -> list[dict[str, Any]]:
    """Return table, verdict, its sentence, run and time of the latest parity verdict of each table."""
    return [
        {
            "context": verdict.context,
            "table": verdict.table,
            "verdict": verdict.verdict,
            "why": verdict.why,
            "run_id": verdict.run_id,
            "recorded_at": verdict.recorded_at,
        }
        for verdict in latest(url, "parity").values()
    ]


RECENT_RUNS = 10
"""Of so many latest runs of a context the widest shows what a whole run compares, so that a table may be dropped."""


def streaks(url: str) -> dict[str, int]:
    """Return, by context, how many of its latest runs in a row had nothing but green verdicts.

    A run that compared less than the widest of the context's recent runs (a single table, some months, one comparison)
    proves too little to count, but a red verdict in it ends the streak. Nor does one that began before the context was
    last rolled back: what was proven then did not hold. A context without any verdict is not in the result.
    """
    rolled = last_rollbacks(url)
    rows = query(url, _STREAKS, [list(rolled), list(rolled.values()), RECENT_RUNS])
    return {row["context"]: row["streak"] for row in rows}


_STREAKS = """
WITH rolled AS (
    SELECT * FROM unnest(%s::text[], %s::timestamptz[]) AS rolled (context, rolled_back_at)
), runs AS (
    SELECT context, bool_and(is_green) AS is_green, min(recorded_at) AS began_at,
           count(DISTINCT (comparison, table_name)) FILTER (WHERE months IS NULL) AS compared,
           row_number() OVER (PARTITION BY context ORDER BY max(result_id) DESC) AS age
    FROM data_quality.parity_results GROUP BY context, run_id
), measured AS (
    SELECT context, age, compared, began_at,
           max(compared) FILTER (WHERE age <= %s) OVER (PARTITION BY context) AS whole,
           min(age) FILTER (WHERE NOT is_green) OVER (PARTITION BY context) AS first_red
    FROM runs
)
SELECT context,
       count(*) FILTER (
           WHERE compared > 0 AND compared >= whole AND (first_red IS NULL OR age < first_red)
             AND (rolled_back_at IS NULL OR began_at > rolled_back_at)
       ) AS streak
FROM measured LEFT JOIN rolled USING (context) GROUP BY context
"""
