"""A synthetic set in all three trees, and a release of each: wholly old, wholly replay, wholly new.

Made by the pipeline's own steps and dbt, without Dagster, which would take three times as long.
"""

import json
import os
import subprocess
from pathlib import Path

import duckdb

from olist_pipeline.intake.span import as_of
from olist_pipeline.months import MonthRange
from olist_pipeline.parity.attribution import Evidence, parity_of
from olist_pipeline.parity.conservation import conservation_of, conservation_subject
from olist_pipeline.registry import CONTEXTS, LANDING, STEPS, origins
from olist_pipeline.serving.about import about
from olist_pipeline.serving.build import publish
from olist_pipeline.settings import DBT, DBT_DIR, Settings
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores import quarantine, verdicts
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.synthetic import generate
from olist_pipeline.warehouse import REPLAY, load_manifest, reading, warehouse_tables

RUN = "r1"
ROUTES = {"old": "old", "new": "new"}


def build(settings: Settings, url: str, orders: int) -> None:
    """Make the landing, the warehouse, and a home with a release for each tree: `settings.home/<tree>`."""
    generate(settings.landing, orders=orders, seed=7)
    for table in LANDING.values():
        run_intake(settings, url, table, as_of(settings.landing), RUN)
    months = list(MonthRange.until(as_of(settings.landing)))
    for step in STEPS:
        run_validation(settings, url, step, months if step.is_monthly else None, RUN)
    run_dbt(settings, "warehouse")
    run_dbt(settings, "replay")
    record_verdicts(settings, url)
    make_releases(settings, url)


def run_dbt(settings: Settings, target: str) -> None:
    selected = ["--select", "path:models/old", *(["path:models/new"] if target == "warehouse" else [])]
    paths = ["--target-path", str(settings.dbt_target / target), "--log-path", str(settings.dbt_target / "logs")]
    variables = ["--vars", json.dumps({"as_of": as_of(settings.landing).isoformat()})]
    places = {"OLIST_HOME": str(settings.home), "OLIST_DATA_DIR": str(settings.landing)}
    result = subprocess.run(
        [str(DBT), "--quiet", "run", "--target", target, *selected, *paths, *variables],
        cwd=DBT_DIR,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def tables(settings: Settings):
    return warehouse_tables(load_manifest(settings.dbt_target / "warehouse" / "manifest.json"))


def record_verdicts(settings: Settings, url: str) -> None:
    with reading(settings.warehouse) as warehouse:
        for table in tables(settings):
            parity = parity_of(warehouse, table, Evidence(quarantine.totals_by_rule(url, origins(table.reads))))
            told = (parity.verdict.value, parity.is_green, parity.subject, parity.to_dict())
            verdicts.record(url, Verdict(table.context, table.name, "parity", *told, RUN))
    for context in CONTEXTS.values():
        for table in context.tables:
            ledger = conservation_of(settings, url, table)
            told = ("holds", ledger.holds, conservation_subject(settings, table), ledger.to_dict())
            verdicts.record(url, Verdict(context.name, table.name, "conservation", *told, RUN))


def make_releases(settings: Settings, url: str) -> None:
    said = about(settings, url)
    for tree in ("old", "new", "replay"):
        serving = settings.home / tree / "serving"
        release = publish(
            serving,
            settings.warehouse,
            tables(settings),
            lambda tree=tree: dict.fromkeys(CONTEXTS, ROUTES.get(tree, "old")),
            run_id=RUN,
            fingerprint="f",
            code="c",
            as_of=as_of(settings.landing).isoformat(),
            landing={},
            about=said,
        )
        if tree == REPLAY:
            database = serving / "releases" / f"{release.number:05d}" / "serving.duckdb"
            with duckdb.connect(str(database)) as connection:
                replace_by_replay(connection, settings.warehouse, release.tables)


def replace_by_replay(connection: duckdb.DuckDBPyConnection, warehouse: Path, names) -> None:
    """No route serves replay: it is only the measure of what old and new may differ by."""
    connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
    for name in names:
        connection.execute(f"DROP VIEW {name}; CREATE TABLE {name} AS FROM warehouse.{REPLAY}.{name}")
    connection.execute("DETACH warehouse")


def verdicts_by_table(release: Path) -> dict[str, str]:
    """Return the verdict of parity on each table, as the release says it."""
    with duckdb.connect(str(release), read_only=True) as connection:
        return dict(connection.execute("SELECT table_name, verdict FROM about.migration_parity").fetchall())
