"""Monthly tables compared by tasks: verdicts, figures, samples and subjects are those of the whole table."""

import pickle
from collections import Counter
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.model import OLD, REPLAY
from olist_pipeline.months import MonthRange
from olist_pipeline.parity import sides
from olist_pipeline.parity.attribution import Evidence, ParityVerdict, parities_of, parity_of, parity_subject
from olist_pipeline.parity.by_months import TREES, MonthsComparison, MonthsOfTable, sides_by_months
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.validation import units
from olist_pipeline.validation.units import Runner
from tests.pipeline.parity.test_attribution import CAUSES, ORDERS

EVIDENCE = Evidence({"NO_ITEMS": 2}, CAUSES)
REPLAYED = ("replay", "new")
EDITS = {
    "nothing": ((), ""),
    "rows are gone": (REPLAYED, "DELETE FROM {t} WHERE order_id IN ('o1', 'o2', 'o9')"),
    "cells are other ones": (REPLAYED, "UPDATE {t} SET revenue = revenue + 1, items = NULL WHERE n % 3 = 0"),
    "new alone differs": (("new",), "UPDATE {t} SET revenue = revenue + items WHERE order_id IN ('o3', 'o4', 'o11')"),
    "a row is of another month": (REPLAYED, "UPDATE {t} SET order_month = DATE '2018-06-01' WHERE order_id = 'o1'"),
    "a row has no month": (TREES, "UPDATE {t} SET order_month = NULL WHERE order_id = 'o1'"),
    "a row has lost its month": (("new",), "UPDATE {t} SET order_month = NULL WHERE order_id = 'o1'"),
    "keys are missing": (REPLAYED, "UPDATE {t} SET order_id = NULL WHERE n IN (1, 2, 9)"),
    "a key is there twice": (TREES, "INSERT INTO {t} SELECT * FROM {t} WHERE order_id = 'o4'"),
    "a key is in two months": (
        ("old", "new"),
        "INSERT INTO {t} SELECT * REPLACE (DATE '2018-06-01' AS order_month) FROM {t} WHERE order_id = 'o4'",
    ),
    "a month is on one side only": (("new",), "DELETE FROM {t} WHERE order_month = DATE '2018-02-01'"),
    "a column is gone": (("new",), "ALTER TABLE {t} DROP items"),
    "a column has another type": (("new",), "ALTER TABLE {t} ALTER items TYPE VARCHAR"),
    "there are no rows": (TREES, "DELETE FROM {t}"),
}


class Tasks:
    """A runner of tasks, which see nothing but what is sent; it counts what it was given."""

    def __init__(self):
        self.given = Counter[str]()

    def run(self, pieces, work):
        sent = pickle.dumps(work)
        self.given[work.against] += len(pieces)
        return [pickle.loads(sent)(pickle.loads(pickle.dumps(piece))) for piece in pieces]

    @property
    def runner(self):
        return Runner(self.run, 2)


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    """Return a function that makes a warehouse of views of files, in which some trees are edited."""
    monkeypatch.setattr(units, "ROWS_A_UNIT", 2)
    with duckdb.connect(config={"threads": 1}) as connection:

        def make(trees, edit):
            for tree in TREES:
                file = tmp_path / f"{tree} [of] a test.parquet"
                connection.execute(
                    "CREATE OR REPLACE TABLE t AS SELECT 'o' || n AS order_id, n, n AS items,"
                    " CAST(n * 10 + 0.25 AS DECIMAL(18,2)) AS revenue,"
                    " make_date(2018, 1 + CAST(n // 4 AS INTEGER), 1)::DATE AS order_month FROM range(12) AS r(n)"
                )
                if tree in trees:
                    connection.execute(edit.format(t="t"))
                connection.execute(f"COPY t TO '{file}' (FORMAT parquet); CREATE SCHEMA {tree}")
                path = str(file).replace("[", "[[]")
                connection.execute(f"CREATE VIEW {tree}.fact_orders AS FROM read_parquet('{path}')")
            return connection

        yield make


def found_by(connection, folder, months=None, table=ORDERS):
    """Return the verdict by the whole table, that by tasks, and the tasks."""
    tasks = Tasks()
    added = sides_by_months(connection, [table], months, tasks.runner, folder / "rests")
    [cut] = parities_of(connection, [(table, EVIDENCE)], months, added)
    return parity_of(connection, table, EVIDENCE, months), cut, tasks


@pytest.mark.parametrize("edit", EDITS)
def test_verdict_figures_and_samples_are_those_of_the_whole(warehouse, tmp_path, edit):
    connection = warehouse(*EDITS[edit])
    whole, cut, tasks = found_by(connection, tmp_path)
    assert cut == whole
    assert cut.subject == parity_subject(connection, ORDERS)
    is_whole = edit in ("a column has another type", "there are no rows")
    assert (tasks.given[OLD] >= 3) != is_whole
    assert (tasks.given[REPLAY] > 0) == (EDITS[edit][0] == ("new",) and not is_whole) or "two months" in edit


def test_only_the_months_asked_for_are_compared(warehouse, tmp_path):
    connection = warehouse(("new",), "UPDATE {t} SET items = 0")
    months = MonthRange(date(2018, 2, 1), date(2018, 2, 1))
    whole, cut, tasks = found_by(connection, tmp_path, months)
    assert cut == whole
    assert (cut.direct.rows_old, cut.verdict) == (4, ParityVerdict.DIFFERS)
    assert tasks.given[OLD] == 1


def test_what_is_left_alone_is_read_here(warehouse, tmp_path, monkeypatch):
    connection = warehouse(("new", "replay"), "DELETE FROM {t} WHERE order_id = 'o1'")
    read: list[bool] = []

    def compare_here(*arguments, **options):
        read.append(options["same"])
        return compare(*arguments, **options)

    monkeypatch.setattr(sides, "compare", compare_here)
    _, cut, _ = found_by(connection, tmp_path)
    assert cut.verdict is ParityVerdict.EXPLAINED
    # By the tasks: replay, which is the same. Whole: old and replay.
    assert sorted(read) == [False, True, True]


def test_a_side_that_is_no_view_of_files_is_not_cut(warehouse, tmp_path):
    connection = warehouse((), "")
    connection.execute("CREATE TABLE copy AS FROM replay.fact_orders; DROP VIEW replay.fact_orders")
    connection.execute("CREATE TABLE replay.fact_orders AS FROM copy")
    assert sides_by_months(connection, [ORDERS], None, Tasks().runner, tmp_path / "rests") == {}


def test_what_is_wrong_with_a_table_is_left_to_its_own_comparison(warehouse, tmp_path):
    connection = warehouse(("new",), "ALTER TABLE {t} RENAME order_id TO id")
    assert sides_by_months(connection, [ORDERS], None, Tasks().runner, tmp_path / "rests") == {}


def test_renamed_and_left_out_columns_are_those_of_old(warehouse, tmp_path):
    connection = warehouse(("new",), "ALTER TABLE {t} RENAME items TO pieces")
    table = replace(ORDERS, renamed={"pieces": "items"}, excluded={"n": "counted anew"})
    whole, cut, tasks = found_by(connection, tmp_path, table=table)
    assert cut == whole
    assert (cut.verdict, tasks.given[OLD] > 1) == (ParityVerdict.IDENTICAL, True)


def test_another_version_of_duckdb_is_refused(tmp_path):
    with pytest.raises(OlistError, match=r"^It has DuckDB .+, and 0\.1 adds up what it leaves; "):
        MonthsComparison({}, OLD, "0.1")(MonthsOfTable(ORDERS, (), "TRUE", tmp_path))
