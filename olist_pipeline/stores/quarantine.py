"""The quarantine: rows that were not accepted, whole, with every rule that they broke.

What belongs here: replacing and reading quarantined rows. What does not: deciding which rows are rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from olist_pipeline.stores.postgres import copy_frame, query, query_rows, transaction

if TYPE_CHECKING:
    import polars as pl  # a command that only reads does not wait for it

Step = Literal["intake", "validation"]


def replace_rows(
    url: str,
    step: Step,
    tables: Iterable[str],
    months: Iterable[date] | None,
    rows: Iterable[pl.DataFrame],
    run_id: str,
) -> None:
    """Make `rows`, one frame or several, the quarantine of a step for `tables`, in `months` or in all.

    Each has the columns of the table (`rules` as codes by commas, `payload` as JSON text). A row that is
    there already, of the same file with the same rules and cells, keeps the run and time of its first
    recording, so running again changes nothing.
    """
    scope = {"step": step, "tables": list(tables), "months": None if months is None else list(months)}
    with transaction(url) as connection:
        with connection.cursor() as cursor:
            cursor.execute(_INCOMING)
        for frame in rows:
            copy_frame(connection, frame, "incoming")
        with connection.cursor() as cursor:
            cursor.execute(_DELETE, scope)
            cursor.execute(_INSERT, {"step": step, "run_id": run_id})


def counts_by_rule(url: str, tables: Iterable[str]) -> list[dict[str, Any]]:
    """Return `source_table`, `rule`, `rows` for every rule that quarantined rows of `tables` broke."""
    return query(
        url,
        """
        SELECT source_table, rule, count(*) AS rows
        FROM data_quality.quarantine, unnest(rules) AS rule
        WHERE source_table = ANY(%s) GROUP BY source_table, rule ORDER BY rows DESC, source_table, rule
        """,
        [list(tables)],
    )


def totals_by_rule(url: str, tables: Iterable[str]) -> dict[str, int]:
    """Return the number of quarantined rows of `tables` by rule, the most first."""
    totals: Counter[str] = Counter()
    for row in counts_by_rule(url, tables):
        totals[row["rule"]] += row["rows"]
    return dict(totals.most_common())


def first_by_rule(url: str) -> list[dict[str, Any]]:
    """Return for each table, step and rule the rows that broke it, and the first of them with its cells.

    Columns: `source_table`, `step`, `rule`, `rows`, and of the first row `source_file`, `source_row`, `payload`,
    `aggregate_type` and `aggregate_id`.
    """
    return query(
        url,
        """
        WITH counted AS (
            SELECT source_table, step, rule, count(*) AS rows, min(source_row) AS source_row
            FROM data_quality.quarantine, unnest(rules) AS rule GROUP BY source_table, step, rule
        )
        SELECT rule, rows, q.* FROM counted JOIN data_quality.quarantine AS q USING (source_table, step, source_row)
        ORDER BY source_table, rows DESC, rule
        """,
    )


def source_rows(url: str, table: str, landing: str) -> list[int]:
    """Return the row numbers of a table's quarantined rows, one for each time it is quarantined, in order.

    `landing` is the landing table that its rows come from: what intake rejected of that counts as well.
    """
    rows = query_rows(url, f"SELECT source_row FROM {_OF_TABLE} ORDER BY source_row", [table, landing])
    return [row for (row,) in rows]


def number_of_rows(url: str, table: str, landing: str) -> int:
    """Return how many rows `source_rows` would."""
    [(rows,)] = query_rows(url, f"SELECT count(*) FROM {_OF_TABLE}", [table, landing])
    return int(rows)


_OF_TABLE = "data_quality.quarantine WHERE source_table = %s OR (source_table = %s AND step = 'intake')"


TABLE = "source table"
"""The column of `broken` that has the landing table of a row; no field of a record is called so."""


def broken(url: str, cells: Mapping[str, str | None]) -> pl.DataFrame:
    """Return of all quarantined rows the rules, a list each, their `TABLE`, and the text of the named `cells`.

    A cell is null where a row has none.
    A record that could not be split has no cells. Where a cell is given the aggregate type that it identifies, what
    stands in place of the aggregate's id counts as that.
    """
    import polars as pl

    named = ", ".join(
        "coalesce(payload ->> %s, CASE WHEN aggregate_type = %s THEN aggregate_id END)"
        if aggregate
        else "payload ->> %s"
        for aggregate in cells.values()
    )
    values = [value for pair in cells.items() for value in pair if value]
    rows = query_rows(url, f"SELECT rules, source_table, {named} FROM data_quality.quarantine", values)
    schema = pl.Schema({"rules": pl.List(pl.String), TABLE: pl.String(), **dict.fromkeys(cells, pl.String())})
    return pl.DataFrame(rows, schema=schema, orient="row")


def find(
    url: str, *, table: str | None, rule: str | None, aggregate_id: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return quarantined rows, newest months first, that match every filter which is not None."""
    return query(
        url,
        f"""
        SELECT context, aggregate_type, aggregate_id, source_table, source_file, source_row, rules, payload,
               order_month, step, run_id, recorded_at
        FROM data_quality.quarantine
        WHERE {_MATCHING}
        ORDER BY order_month DESC NULLS LAST, source_table, source_row
        LIMIT %(limit)s
        """,
        {"table": table, "rule": rule, "aggregate_id": aggregate_id, "limit": limit},
    )


def number_of(url: str, *, table: str | None, rule: str | None, aggregate_id: str | None) -> int:
    """Return how many quarantined rows match every filter which is not None."""
    statement = f"SELECT count(*) AS rows FROM data_quality.quarantine WHERE {_MATCHING}"
    [counted] = query(url, statement, {"table": table, "rule": rule, "aggregate_id": aggregate_id})
    return int(counted["rows"])


_MATCHING = """
    (%(table)s IS NULL OR source_table = %(table)s)
    AND (%(rule)s IS NULL OR %(rule)s = ANY(rules))
    AND (%(aggregate_id)s IS NULL OR aggregate_id = %(aggregate_id)s)
"""


_INCOMING = """
CREATE TEMPORARY TABLE incoming (
    context text, aggregate_type text, aggregate_id text, source_table text, source_file text,
    source_row bigint, rules text, payload jsonb, order_month date
) ON COMMIT DROP
"""

_DELETE = """
DELETE FROM data_quality.quarantine q
WHERE q.step = %(step)s AND q.source_table = ANY(%(tables)s)
  AND (%(months)s::date[] IS NULL OR q.order_month = ANY(%(months)s::date[]))
  AND NOT EXISTS (
      SELECT FROM incoming i
      WHERE i.source_table = q.source_table AND i.source_row = q.source_row
        AND i.payload = q.payload AND string_to_array(i.rules, ',') = q.rules
        AND i.order_month IS NOT DISTINCT FROM q.order_month
  )
"""

_INSERT = """
INSERT INTO data_quality.quarantine (
    context, aggregate_type, aggregate_id, source_table, source_file, source_row, rules, payload, order_month,
    step, run_id
)
SELECT context, aggregate_type, aggregate_id, source_table, source_file, source_row,
       string_to_array(rules, ','), payload, order_month, %(step)s, %(run_id)s
FROM incoming
ON CONFLICT (source_table, source_row, step) DO UPDATE SET
    context = excluded.context, aggregate_type = excluded.aggregate_type,
    aggregate_id = excluded.aggregate_id, source_file = excluded.source_file, rules = excluded.rules,
    payload = excluded.payload, order_month = excluded.order_month, run_id = excluded.run_id,
    recorded_at = now()
WHERE (quarantine.rules, quarantine.payload, quarantine.order_month, quarantine.source_file)
      IS DISTINCT FROM (excluded.rules, excluded.payload, excluded.order_month, excluded.source_file)
"""
