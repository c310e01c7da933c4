"""What another commit makes of the same landing: the same rows, quarantine, event ids and versions, or a difference.

What belongs here: running intake and validation of two trees over the same files, and comparing all that they left.
What does not: dbt, releases and time.

    python -m benchmarks.same COMMIT [LANDING ...] [--orders 3000] [--rows-a-unit 500] [--window-bytes 20000]

Each landing after the first comes over the home of the one before, as the files of another day. Without any, two
generated sets are taken of which a fifth of all rows is spoilt, in different ways. Exit code 1 where anything differs.
"""

from __future__ import annotations

import csv
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import click
import polars as pl

from olist_pipeline.landing.catalogue import CATEGORIES, GEOLOCATION
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.synthetic.generator import generate
from olist_pipeline.validation.units import ROWS_A_UNIT

SPOILT = 0.2

RUN = """
import sys
from datetime import date
from pathlib import Path
import polars as pl
from olist_pipeline.dialect import check
from olist_pipeline.intake import large
from olist_pipeline.intake.span import dated_span
from olist_pipeline.months import MonthRange
from olist_pipeline.registry import CONTEXTS, LANDING, STEPS
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, scan_staging
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import query_rows
from olist_pipeline.stores.schema import ready_url
from olist_pipeline.validation import units

left, today = Path(sys.argv[1]), date(2026, 1, 1)
units.ROWS_A_UNIT = int(sys.argv[2])
if window := int(sys.argv[3]):
    large.LARGE_BYTES, check.BLOCK_BYTES, check.WINDOW_BYTES = 0, window, window
settings = Settings.from_env()
landing = settings.landing
url = ready_url(settings)
first, last = (moment.date().replace(day=1) for moment in dated_span(landing, LANDING["orders"], today))
months = list(MonthRange(first, last))
counts = []
for table in LANDING.values():
    report = run_intake(settings, url, table, today, "r")
    counts.append((table.name, report.rows, report.rejected, repr(sorted(report.rules.items())), 0))
for step in STEPS:
    report = run_validation(settings, url, step, months if step.is_monthly else None, "r", LANDING["orders"])
    for name, one in report.tables.items():
        said = repr((sorted(one.rules.items()), sorted(one.flags.items())))
        counts.append((name, one.accepted, one.quarantined, said, report.events))
pl.DataFrame(counts, orient="row", schema=["table", "a", "b", "said", "events"]).write_parquet(left / "reports.parquet")
for name in LANDING:
    pl.read_parquet(intake_path(settings.intake, name)).write_parquet(left / f"intake {name}.parquet")
for context in CONTEXTS.values():
    for table in context.tables:
        rows = scan_staging(settings.staging, context.name, table.name).collect()
        rows.write_parquet(left / f"staging {table.name}.parquet")
statements = {
    "quarantine": "SELECT source_table, source_row, step, context, aggregate_type, aggregate_id, source_file,"
    " rules::text, payload::text, order_month::text FROM data_quality.quarantine",
    "events": "SELECT event_id::text, version::text, event_type, context, aggregate_type, aggregate_id, payload::text,"
    " occurred_at::text FROM event_store.domain_events",
}
for name, statement in statements.items():
    rows = query_rows(url, statement)
    width = len(rows[0]) if rows else 1
    pl.DataFrame(rows, orient="row", schema=[f"c{n}" for n in range(width)], infer_schema_length=None).write_parquet(
        left / f"{name}.parquet"
    )
"""


@click.command()
@click.argument("commit")
@click.argument("landings", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--orders", default=3000, show_default=True)
@click.option("--rows-a-unit", default=ROWS_A_UNIT, show_default=True, help="Cut this tree's steps into such units.")
@click.option("--window-bytes", default=0, help="Read this tree's files in such windows, none at once.")
def main(commit: str, landings: tuple[Path, ...], orders: int, rows_a_unit: int, window_bytes: int) -> None:
    """Compare what COMMIT and this tree make of the same landings."""
    folder = Path(tempfile.mkdtemp(prefix="olist-same-"))
    folder.chmod(0o755)  # the embedded server may run as a user of its own
    try:
        other = folder / "tree"
        archive = subprocess.run(["git", "archive", commit], cwd=PROJECT_DIR, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(other, filter="data")
        days = landings or tuple(spoilt(folder / f"landing{seed}", orders, seed) for seed in (1, 2))
        differences = [
            f"{day}: {difference}"
            for day in days
            for difference in differences_of(
                *(left_by(tree, folder, day, rows_a_unit, window_bytes) for tree in (other, PROJECT_DIR))
            )
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    click.echo("\n".join(differences) or "Everything is the same.")
    sys.exit(1 if differences else 0)


def spoilt(folder: Path, orders: int, seed: int) -> Path:
    """Write a generated landing, the same for every seed, of whose rows a fifth is spoilt; return the folder."""
    generate(folder, orders=orders, seed=1)
    chance = random.Random(seed)
    for table in LANDING.values():
        path = folder / table.file
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        share = 0.0 if table is CATEGORIES else SPOILT / 10 if table is GEOLOCATION else SPOILT
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerows(_spoil(row, rows, chance) if chance.random() < share else [row])
    return folder


def _spoil(row: list[str], rows: list[list[str]], chance: random.Random) -> list[list[str]]:
    """Return what becomes of a row: nothing, two of it, more cells or less, or another cell."""
    place = chance.randrange(len(row))
    other = chance.choice(["", "-7", 'say "no"', "2017-02-03 04:05:06", "9e9", chance.choice(rows)[place], row[0]])
    changed = [*row[:place], other, *row[place + 1 :]]
    return chance.choice([[], [row, row], [row[:-1]], [[*row, "x"]], *[[changed]] * 6])


def left_by(
    tree: Path, folder: Path, landing: Path, rows_a_unit: int, window_bytes: int = 0, name: str = "", **settings: str
) -> dict[str, pl.DataFrame]:
    """Run a tree over a home of its own, or of `name`; return all that is left, by name."""
    name = name or tree.name
    left = folder / f"left by {name}"
    shutil.rmtree(left, ignore_errors=True)
    left.mkdir()
    home = {"OLIST_HOME": str(folder / f"home {name}"), "OLIST_DATA_DIR": str(landing), "OLIST_POSTGRES_URL": ""}
    environment = {**os.environ, "PYTHONPATH": str(tree), **home, **settings}
    arguments = [str(left), str(rows_a_unit), str(window_bytes)]
    subprocess.run([sys.executable, "-c", RUN, *arguments], env=environment, cwd=tree, check=True)
    return {path.stem: pl.read_parquet(path, glob=False) for path in sorted(left.iterdir())}


def differences_of(other: dict[str, pl.DataFrame], ours: dict[str, pl.DataFrame]) -> list[str]:
    """Print the parts that two runs left; return a sentence for each that differs."""
    found = [f"{name} is on one side only" for name in set(other) ^ set(ours)]
    for name in sorted(set(other) & set(ours)):
        theirs, mine = (_sorted(frame) for frame in (other[name], ours[name]))
        click.echo(f"{name}: {theirs.height:,} rows")
        if theirs.schema != mine.schema:
            found.append(f"{name} has other columns: {theirs.schema} and {mine.schema}")
        elif not theirs.equals(mine):
            only = (theirs.hash_rows().is_in(mine.hash_rows().implode())).not_()
            example = theirs.filter(only).head(1).rows()
            found.append(f"{name} differs: {theirs.height:,} and {mine.height:,} rows, e.g. {example}")
    return found


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    flat = frame.with_columns(pl.col(pl.List(pl.String)).list.join(","))
    return flat.sort(pl.all(), nulls_last=True)


if __name__ == "__main__":
    main()
