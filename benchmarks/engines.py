"""Whole runs of both engines over one landing: the same rows, events and tables, or a sentence for each difference.

What belongs here: running `olist run` with Polars and with Spark, each over a home of its own, and comparing all that
they left. What does not: a cluster (`cluster`), and what one engine makes at two commits (`same`).

    python -m benchmarks.engines [LANDING] [--orders 2000] [--clean] [--master local[2]] [--memory 1g] [--keep FOLDER]

Without LANDING a generated one is taken, of which a fifth of all rows is spoilt unless it is to be `--clean`. Compared
are each file of staging, row by row; every row of quarantine and every event, with ids and versions; each table of the
three trees, with names and types of its columns and all rows. Exit code 1 where anything differs.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import duckdb
import polars as pl

from benchmarks.same import spoilt
from benchmarks.watched import Watched, watch
from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.settings import Settings
from olist_pipeline.spark.requirements import check
from olist_pipeline.stores.postgres import query_rows
from olist_pipeline.stores.schema import ready_url
from olist_pipeline.synthetic import generate
from olist_pipeline.tablediff.fingerprint import fingerprint
from olist_pipeline.tablediff.sql import literal, relation_name
from tests.environment import bare

RUN = [sys.executable, "-m", "olist_pipeline", "run", "--force"]
TREES = (OLD, REPLAY, NEW)
Parts = dict[str, tuple[int, str]]
"""By the name of a part: its rows, and a digest of all that stands in them."""

# What no run has in common with another is left out: times of recording, runs, places in the store.
STORES = {
    "quarantine": (
        "data_quality.quarantine",
        "step || ' ' || source_table",
        "step, context, aggregate_type, aggregate_id, source_table, source_file, source_row, rules, payload, "
        "order_month",
    ),
    "events": (
        "event_store.domain_events",
        "context || ' ' || event_type",
        "event_id, version, event_type, context, aggregate_type, aggregate_id, payload, occurred_at",
    ),
}


def run_with(engine: str, home: Path, landing: Path, **variables: str) -> Watched:
    """Run all of `landing` over an empty home; return what it took. Raises CommandFailedError where it fails."""
    kept = {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
    environment = {**bare(), **kept, "OLIST_HOME": str(home), "OLIST_DATA_DIR": str(landing), "OLIST_ENGINE": engine}
    # A spoilt landing is to come to a release, too.
    environment |= {"OLIST_QUARANTINE_LIMIT": "1", "COLUMNS": "200", **variables}
    taken = watch(RUN, environment, home)
    click.echo(
        f"{engine}: {taken.seconds:.0f} s, {taken.cpu:.0f} s of processors, {taken.peak_memory / 1e9:.1f} GB at most"
    )
    for step in taken.steps:
        click.echo(f"  {step.name:<40} {step.seconds:7.1f} s")
    return taken


def differences(one: Path, other: Path) -> list[str]:
    """Print what two homes hold; return a sentence for each thing that differs."""
    found = _differing_staging(one, other)
    for name in STORES:
        found += _differing(name, _stored(name, one), _stored(name, other))
    return [*found, *differing_tables(*(home / "warehouse.duckdb" for home in (one, other)))]


def differing_tables(one: Path, other: Path) -> list[str]:
    """Return a sentence for each relation of the trees in two warehouses that differs, with a row that differs."""
    sides = [_tables(path) for path in (one, other)]
    found = _differing("tables", *sides)
    with duckdb.connect() as connection:
        for side, path in (("one", one), ("other", other)):
            connection.execute(f"ATTACH {literal(str(path))} AS {side} (READ_ONLY)")
        for name in sorted(sides[0].keys() & sides[1].keys()):
            if sides[0][name] != sides[1][name]:
                relations = [relation_name(side, *name.split(".")) for side in ("one", "other")]
                found += differing_relations(connection, name, *relations)
    return found


def differing_relations(connection: duckdb.DuckDBPyConnection, name: str, one: str, other: str) -> list[str]:
    """Return a sentence where two relations of a table have other columns, else one for a row that a side lacks."""
    shapes = [[row[:2] for row in connection.execute(f"DESCRIBE {side}").fetchall()] for side in (one, other)]
    if shapes[0] != shapes[1]:
        return [f"{name} has other columns: {set(shapes[0]) ^ set(shapes[1])}"]
    found = []
    for first, second in ((one, other), (other, one)):
        rows = connection.execute(f"FROM {first} EXCEPT ALL FROM {second} LIMIT 1").fetchall()
        found += [f"{first} has {row}, which {second} has not" for row in rows]
    return found


def _differing(what: str, one: Parts, other: Parts) -> list[str]:
    """Print how much there is of one kind; return a sentence for each part of it that differs."""
    click.echo(f"{what}: {sum(rows for rows, _ in one.values()):,} rows in {len(one):,} parts")
    if not one and not other:
        return [f"there is nothing of {what}"]
    return [
        f"{what}: {name} has {one.get(name, (0, ''))[0]:,} rows and {other.get(name, (0, ''))[0]:,}, and differs"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]


def _differing_staging(one: Path, other: Path) -> list[str]:
    """Print how much there is of staging; return a sentence for each file that is not the same, row by row."""
    files = [
        {str(path.relative_to(home)): path for path in (home / "staging").rglob("*.parquet")} for home in (one, other)
    ]
    found = [f"{name} is on one side only" for name in sorted(files[0].keys() ^ files[1].keys())]
    rows = 0
    for name in sorted(files[0].keys() & files[1].keys()):
        first, second = (pl.read_parquet(side[name], glob=False, hive_partitioning=False) for side in files)
        rows += first.height
        if first.schema != second.schema or not first.equals(second):
            found.append(f"{name} has {first.height:,} rows and {second.height:,}, and differs")
    click.echo(f"staging: {rows:,} rows in {len(files[0]):,} files")
    return found if rows else [*found, "there is nothing of staging"]


def _stored(name: str, home: Path) -> Parts:
    table, part, columns = STORES[name]
    # The server adds up what it hashes: no row leaves it.
    statement = (
        f"SELECT {part}, count(*), sum(hashtextextended(ROW({columns})::text, 0)::numeric)::text "
        f"FROM {table} GROUP BY 1"
    )
    rows = query_rows(ready_url(Settings(home, home / "landing", None)), statement)
    return {key: (count, digest) for key, count, digest in rows}


def _tables(warehouse: Path) -> Parts:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_schema IN (SELECT unnest($1)) AND table_catalog = current_database() ORDER BY ALL",
            [list(TREES)],
        ).fetchall()
        prints = {f"{tree}.{name}": fingerprint(connection, relation_name(tree, name)) for tree, name in names}
    return {name: (one.rows, one.digest) for name, one in prints.items()}


@contextmanager
def working_folder(keep: Path | None) -> Iterator[Path]:
    """Yield a folder for homes: one to keep, which is not there yet, or one that goes away."""
    folder = keep or Path(tempfile.mkdtemp(prefix="olist-engines-"))
    folder.mkdir(parents=True, exist_ok=keep is None)
    folder.chmod(0o755)  # the embedded server may run as a user of its own
    try:
        yield folder
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def landing_in(folder: Path, orders: int, *, is_clean: bool) -> Path:
    """Write a landing of so many orders below `folder`; return its folder."""
    landing = folder / "landing"
    if is_clean:
        generate(landing, orders=orders, seed=1)
        return landing
    return spoilt(landing, orders, 1)


def configured(folder: Path, **entries: str) -> dict[str, str]:
    """Write a `spark-defaults.conf`; return the variable that names its folder."""
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in entries.items()))
    return {"SPARK_CONF_DIR": str(folder)}


def end_with(found: list[str]) -> None:
    """Print what differs, and end with the exit code."""
    click.echo("\n".join(found) or "Everything is the same.")
    sys.exit(1 if found else 0)


@click.command()
@click.argument("landing", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--orders", default=2000, show_default=True, help="The size of a generated landing.")
@click.option("--clean", is_flag=True, help="Spoil no row of it.")
@click.option("--master", default="local[2]", show_default=True)
@click.option("--memory", default="1g", show_default=True, help="The largest heap of Spark's driver.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the homes in this folder, which is made.")
def main(landing: Path | None, orders: int, clean: bool, master: str, memory: str, keep: Path | None) -> None:
    """Run both engines over the same landing; compare what they left."""
    check(master)
    with working_folder(keep) as folder:
        files = landing or landing_in(folder, orders, is_clean=clean)
        conf = configured(folder, **{"spark.driver.memory": memory, "spark.sql.shuffle.partitions": "8"})
        run_with("polars", folder / "polars", files)
        run_with("spark", folder / "spark", files, OLIST_SPARK_MASTER=master, **conf)
        found = differences(folder / "polars", folder / "spark")
    end_with(found)


if __name__ == "__main__":
    main()
