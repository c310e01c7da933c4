"""The backup of docs/postgres.md, restored into an empty place: another home, another server, the runtime role."""

import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.main import cli
from olist_pipeline.serving import follow
from olist_pipeline.stores import postgres, roles
from tests.patience import patient
from tests.pipeline.roles import ANALYST, PROGRAMS, RUNTIME, alone, as_role

SET_BY_COMMANDS = ("OLIST_ENGINE", "OLIST_AUTOMATION", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE", "PGAPPNAME")
CONTENT = """
SELECT 'events' AS store, count(*) AS rows, md5(string_agg(format('%%s %%s', event_id, version), ',' ORDER BY position))
FROM event_store.domain_events
UNION ALL SELECT 'quarantine', count(*), md5(string_agg(q::text, ',' ORDER BY source_table, source_row, step))
FROM data_quality.quarantine AS q
UNION ALL SELECT 'verdicts', count(*), md5(string_agg(p::text, ',' ORDER BY result_id))
FROM data_quality.parity_results AS p
UNION ALL SELECT 'runs', count(*), md5(string_agg(run_id, ',' ORDER BY id)) FROM runs
"""


def pg(program, *arguments):
    done = subprocess.run(
        [PROGRAMS / program, *arguments], capture_output=True, text=True, check=False, timeout=patient(120)
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def backup(server_folder, finished):
    """What is kept of a home after its first run: PostgreSQL's dump, then the files beside it."""
    world, folder = finished.copy_to(server_folder / "backed_up"), server_folder / "backup"
    folder.mkdir()
    url = postgres.server_url(world.settings)
    pg("pg_dump", "--format=custom", f"--file={folder / 'olist.dump'}", url)
    shutil.copytree(world.home, folder / "home", symlinks=True, ignore=shutil.ignore_patterns("postgres", "postgres.*"))
    return folder, world.landing, postgres.query_rows(url, CONTENT, [])


@pytest.fixture
def restored(backup, server, tmp_path, monkeypatch):
    """The address of the owner of the restored database, to whose runtime role the environment points."""
    folder, landing, _ = backup
    alone(server, "CREATE DATABASE restored")
    url = server.replace("@/postgres?", "@/restored?")
    pg("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={url}", folder / "olist.dump")
    roles.apply(url, runtime=RUNTIME, analyst=ANALYST, password=RUNTIME)
    shutil.copytree(folder / "home", tmp_path / "home", symlinks=True)
    for name in SET_BY_COMMANDS:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OLIST_DATA_DIR", str(landing))
    monkeypatch.setenv("OLIST_POSTGRES_URL", as_role(url, RUNTIME))
    yield url
    alone(server, "DROP DATABASE restored WITH (FORCE)")


def typed(*arguments):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(cli, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.long
def test_what_was_restored_is_what_was_backed_up_and_the_pipeline_goes_on(backup, restored, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE", patient(30))
    assert postgres.query_rows(restored, CONTENT, []) == backup[2]
    assert min(rows for _, rows, _ in backup[2]) > 0
    assert json.loads(typed("db", "status", "--json"))["role"] == RUNTIME
    assert "release 1" in typed("release", "verify", "1").lower()
    assert json.loads(typed("run", "--json"))["changed"] is False
    states = json.loads(typed("status", "--json"))["contexts"]
    assert {state["reconciliation"] for state in states} == {"holds"}
    assert all(state["missing"] == state["failed"] == 0 for state in states), "Dagster remembers its months"
    assert json.loads(typed("cutover", "sales", "--force", "--reason", "after the restore", "--json"))["recorded"]
    assert json.loads(typed("rollback", "sales", "--json"))["recorded"]
