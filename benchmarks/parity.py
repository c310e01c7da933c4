"""Time and memory of the comparison beside one hand-written full outer join, in the same run.

    python benchmarks/parity.py [--rows 1000000] [--key integer|text] [--memory-limit 2.5GB] [--repeat 3]
                                [--wide 3000]

Two pairs of tables of ten columns in a DuckDB file: one that differs in 0.1 % of its rows (unequal, only in old and
only in new, with row counts that agree, so that the fast path is tried in vain), and one of identical tables. It
prints the best of `--repeat` runs, their ratio to the join of the same tables, and the peak of resident memory; it
checks that both find the same counts, and asserts no time. Then a pair of wide tables, of 1,000 rows and `--wide`
columns, with differences in three of them.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from olist_pipeline.migration.model import OLD
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.parity.causes import causes
from olist_pipeline.registry import LINKS
from olist_pipeline.settings import Settings
from olist_pipeline.stores.schema import ready_url
from olist_pipeline.tablediff.compare import compare
from olist_pipeline.tablediff.contract import Contract
from olist_pipeline.warehouse import load_manifest, reading, warehouse_tables

COLUMNS = (
    "customer_city",
    "customer_state",
    "price",
    "freight_value",
    "items",
    "purchased_at",
    "delivered_on",
    "distance_km",
    "is_late",
)
KEYS = {"integer": "i", "text": "md5(i::VARCHAR)"}


def build(path: Path, rows: int, key: str, memory_limit: str) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(f"SET memory_limit = '{memory_limit}'")
        con.execute(
            f"""
            CREATE TABLE old_orders AS SELECT
                {KEYS[key]} AS order_id,
                'cidade ' || hash(i, 1) % 5000 AS customer_city,
                ['SP', 'RJ', 'MG', 'RS', NULL][1 + CAST(hash(i, 2) % 5 AS BIGINT)] AS customer_state,
                CAST(hash(i, 3) % 1000000 / 100 AS DECIMAL(10,2)) AS price,
                CAST(hash(i, 4) % 10000 / 100 AS DECIMAL(10,2)) AS freight_value,
                CAST(hash(i, 5) % 20 AS INTEGER) AS items,
                TIMESTAMP '2017-01-01' + to_seconds(CAST(hash(i, 6) % 63072000 AS BIGINT)) AS purchased_at,
                CASE WHEN hash(i, 7) % 10 > 0 THEN DATE '2017-01-01' + CAST(hash(i, 7) % 700 AS INTEGER) END
                    AS delivered_on,
                hash(i, 8) % 1000000 / 7.0 AS distance_km,
                hash(i, 9) % 2 = 0 AS is_late
            FROM range({rows}) AS numbers(i)
            """
        )
        # Of 10,000 rows 8 have another price, 1 is only in old and 1 only in new.
        changed = "hash(order_id, 0) % 10000"
        con.execute(
            f"""
            CREATE TABLE new_orders AS
            SELECT * REPLACE (CAST(price + 0.01 * ({changed} < 8)::INTEGER AS DECIMAL(10,2)) AS price,
                              CASE WHEN {changed} = 8 THEN {"-order_id - 1" if key == "integer" else "'x' || order_id"}
                                   ELSE order_id END AS order_id)
            FROM old_orders
            """
        )
        con.execute("CREATE TABLE same_orders AS FROM old_orders")


def hand_written_join(new: str, columns: Sequence[str] = COLUMNS) -> str:
    same = " AND ".join(f"o.{column} IS NOT DISTINCT FROM n.{column}" for column in columns)
    paired = "o.order_id IS NOT NULL AND n.order_id IS NOT NULL"
    return f"""
        SELECT count(*) FILTER (WHERE n.order_id IS NULL), count(*) FILTER (WHERE o.order_id IS NULL),
               count(*) FILTER (WHERE {paired} AND {same}), count(*) FILTER (WHERE {paired} AND NOT ({same}))
        FROM old_orders AS o FULL OUTER JOIN {new} AS n ON o.order_id = n.order_id
    """


def resident_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


class Peak:
    """The highest resident memory of this process while the block runs, sampled every 20 ms."""

    def __enter__(self) -> Peak:
        self.mb = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.mb = max(self.mb, resident_mb())


def all_rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    """Return all rows of a query."""
    return con.execute(query).fetchall()


def time_in_turn(name: str, runs: dict[str, Callable[[], object]], repeat: int) -> None:
    """Run all of `runs` in turn, `repeat` times, and print the best of each beside the best of the first."""
    best = dict.fromkeys(runs, float("inf"))
    peaks = dict.fromkeys(runs, 0)
    for _ in range(repeat):
        for label, run in runs.items():
            with Peak() as peak:
                start = time.perf_counter()
                run()
                best[label] = min(best[label], time.perf_counter() - start)
            peaks[label] = max(peaks[label], peak.mb)
    first = next(iter(best.values()))
    for label, seconds in best.items():
        print(
            f"{name + ': ' + label:42} {seconds:8.3f} s  {seconds / first:5.2f} x  peak {peaks[label]:5} MB", flush=True
        )


def measure(rows: int = 10_000_000, key: str = "integer", memory_limit: str = "2.5GB", repeat: int = 3) -> None:
    """Print both pairs of tables beside the hand-written join."""
    contract = Contract("orders", ("order_id",))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parity.duckdb"
        build(path, rows, key, memory_limit)
        with duckdb.connect(str(path), read_only=True) as con:
            con.execute(f"SET memory_limit = '{memory_limit}'")
            [threads] = con.execute("SELECT current_setting('threads')").fetchall()
            print(f"comparison, {rows:,} rows x 10 columns, {key} key, {threads[0]} threads,", end=" ")
            print(f"memory_limit {memory_limit}, best of {repeat}")
            for label, new in (("0.1 % differences", "new_orders"), ("identical", "same_orders")):
                query = hand_written_join(new)
                runs: dict[str, Callable[[], object]] = {
                    "hand-written join": partial(all_rows, con, query),
                    "compare": partial(compare, con, "old_orders", new, contract),
                }
                time_in_turn(label, runs, repeat)
                [counts] = con.execute(query).fetchall()
                found = compare(con, "old_orders", new, contract)
                assert counts == (found.only_in_old, found.only_in_new, found.equal, found.unequal)
    print()


WIDE_TYPES = (
    "CAST(hash(i, {j}) % 100 AS INTEGER)",
    "'text ' || hash(i, {j}) % 100",
    "CAST(hash(i, {j}) % 10000 / 100 AS DECIMAL(10,2))",
    "hash(i, {j}) % 10000 / 7.0",
    "DATE '2017-01-01' + CAST(hash(i, {j}) % 700 AS INTEGER)",
)


def measure_wide(columns: int = 3_000, rows: int = 1_000, repeat: int = 3) -> None:
    """Print a pair of wide tables beside the hand-written join."""
    names = [f"c{j}" for j in range(columns)]
    cells = ", ".join(f"{WIDE_TYPES[j % 5].format(j=j)} AS {name}" for j, name in enumerate(names))
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE old_orders AS SELECT i AS order_id, {cells} FROM range({rows}) AS numbers(i)")
        con.execute(
            f"CREATE TABLE new_orders AS SELECT * REPLACE (c0 + (order_id % 10 = 0)::INTEGER AS c0,"
            f" c1 || CASE WHEN order_id = 3 THEN 'x' ELSE '' END AS c1,"
            f" c{columns - 3} + (order_id % 50 = 7)::INTEGER AS c{columns - 3}) FROM old_orders"
        )
        query = hand_written_join("new_orders", names)
        runs = {
            "hand-written join": lambda: con.execute(query).fetchall(),
            "compare": lambda: compare(con, "old_orders", "new_orders", Contract("orders", ("order_id",))),
        }
        print(f"comparison, {rows:,} rows x {columns:,} columns, best of {repeat}")
        time_in_turn("differences in 3 columns", runs, repeat)
        [counts] = con.execute(query).fetchall()
        found = compare(con, "old_orders", "new_orders", Contract("orders", ("order_id",)))
        assert counts == (found.only_in_old, found.only_in_new, found.equal, found.unequal)
    print()


def measure_warehouse(home: Path) -> None:
    """Print how long all tables of the warehouse that a run over `home` left take, three comparisons each."""
    settings = Settings(home / "run", home / "landing", None)
    url = ready_url(settings)
    tables = warehouse_tables(load_manifest(settings.dbt_target / OLD / "manifest.json"))
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        evidence = Evidence({"any": 1}, causes(url, settings.staging, LINKS))
        with reading(settings.warehouse) as connection:
            for table in tables:
                parity_of(connection, table, evidence)
        seconds.append(time.perf_counter() - start)
    print(f"parity of all {len(tables)} tables of the warehouse, median of 5: {median(seconds):.1f} s\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--key", choices=sorted(KEYS), default="integer")
    parser.add_argument("--memory-limit", default="2.5GB")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--wide", type=int, default=3_000)
    options = parser.parse_args()
    measure(options.rows, options.key, options.memory_limit, options.repeat)
    measure_wide(options.wide, repeat=options.repeat)


if __name__ == "__main__":
    main()
