"""The last phase of the migration by its commands: cutover, rollback without PostgreSQL, retirement, deletion."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.tablediff.fingerprint import fingerprint
from tests.end_to_end.world import World
from tests.patience import patient
from tests.tables import TABLES

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(server_folder, finished):
    return finished.copy_to(server_folder / "last_phase")


DEAD_SERVER = {"OLIST_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"}
ONE_RUN = {"OLIST_CUTOVER_STREAK": "1", "OLIST_RETIRE_AFTER_DAYS": "0"}
ORDER = ("sales", "marketplace", "customer", "fulfillment")
DOCUMENT = PROJECT_DIR / "docs" / "retiring.md"
COPIED = ("olist_domain", "olist_pipeline", "dbt", "dagster.yaml", "workspace.yaml", "pyproject.toml")


def output(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def digests(path: Path, schema: str) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: fingerprint(connection, f"{schema}.{name}").digest for name in TABLES}


def served_digests(world: World) -> dict[str, str]:
    return digests((world.home / "serving" / "current").resolve() / "serving.duckdb", "main")


def copy_project(project: Path) -> None:
    project.mkdir()
    for name in COPIED:
        source = PROJECT_DIR / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        else:
            shutil.copy(source, project / name)


def deleted_files() -> list[str]:
    """Return the files and folders that the document says can be deleted."""
    section = DOCUMENT.read_text("utf-8").partition("## 2. Delete its files")[2]
    [block] = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return block.split()


def test_the_gate_counts_runs(world):
    refused = world.typed("cutover", "sales", OLIST_CUTOVER_STREAK="9")
    assert refused.returncode == 1
    assert re.search(r"sales has been green in \d runs? in a row, and 9 are needed", refused.stderr)


def test_a_cutover_serves_the_new_tables_and_needs_no_run(world):
    old, new = (digests(world.settings.warehouse, schema) for schema in ("old", "new"))
    assert served_digests(world) == old
    assert "sales: shadow -> new" in output(world.typed("cutover", "sales", **ONE_RUN))
    after = served_digests(world)
    assert after["fact_orders"] == new["fact_orders"] != old["fact_orders"]
    assert after["fact_reviews"] == old["fact_reviews"]
    assert "Nothing has changed since release" in output(world.typed("run"))


def test_a_rollback_needs_neither_postgresql_nor_the_pipeline(world):
    warehouse = world.settings.warehouse
    hidden = warehouse.rename(warehouse.with_suffix(".hidden"))
    try:
        rolled_back = world.typed("rollback", "sales", "--reason", "a doubt", **DEAD_SERVER)
    finally:
        hidden.rename(warehouse)
    assert "sales: new -> old" in output(rolled_back)
    assert "brought to PostgreSQL by the next command" in rolled_back.stderr
    assert served_digests(world) == digests(warehouse, "old")
    [sales] = [
        row for row in json.loads(output(world.typed("status", "--json")))["contexts"] if row["context"] == "sales"
    ]
    assert sales["route"] == "old"
    assert world.query("SELECT new_route, reason FROM migration.route_history ORDER BY change_id DESC LIMIT 1") == [
        ("old", "a doubt")
    ]
    output(world.typed("cutover", "sales", "--to", "shadow"))
    again = world.typed("cutover", "sales", **ONE_RUN)
    assert again.returncode == 1
    assert "sales has been green in 0 runs in a row since it was rolled back" in again.stderr


def test_everything_on_new_is_retired_and_the_old_files_are_deleted(finished, server_folder, tmp_path):
    """What docs/retiring.md lists is deleted from a copy of the project, and the copy runs."""
    world = finished.copy_to(server_folder / "retired")
    for context in ORDER:
        output(world.typed("cutover", context, **ONE_RUN))
    new = digests(world.settings.warehouse, "new")
    assert served_digests(world) == new
    number = json.loads(output(world.typed("releases", "--json")))[0]["release"]
    output(world.typed("release", "verify", str(number)))
    for context in ORDER:
        assert f"{context}: new -> retired" in output(world.typed("retire", context, **ONE_RUN))
    world.settings.warehouse.unlink()
    project = tmp_path / "project"
    copy_project(project)
    for name in deleted_files():
        assert (project / name).exists(), f"{name} is listed in docs/retiring.md and is not there"
        shutil.rmtree(project / name) if (project / name).is_dir() else (project / name).unlink()
    ran = subprocess.run(
        [sys.executable, "-c", "from olist_pipeline.cli.main import main; main()", "run", "--force", "--json"],
        cwd=project,
        env={**world.environment(), "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(300),
    )
    summary = json.loads(output(ran))
    assert summary["release"]["number"] == number + 1
    assert set(summary["release"]["routes"].values()) == {"retired"}
    assert {tuple(table["sources"]) for table in summary["release"]["tables"].values()} == {("new",)}
    assert served_digests(world) == new
    with duckdb.connect(str(world.settings.warehouse), read_only=True) as warehouse:
        built = warehouse.execute("SELECT DISTINCT table_schema FROM information_schema.tables").fetchall()
    assert built == [("new",)]
