"""`olist cutover` and its kin as a person types them: what they print, refuse and record."""

import json
import os
import socket
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from olist_pipeline.cli.criteria import criteria
from olist_pipeline.cli.cutover import acknowledge, cutover, retire, rollback
from olist_pipeline.cli.main import COMMANDS, cli
from olist_pipeline.cli.releases import release, releases
from olist_pipeline.cli.status import status
from olist_pipeline.errors import OlistError
from olist_pipeline.serving import follow, gate
from olist_pipeline.serving import rollback as rollbacks
from olist_pipeline.stores import routes
from tests.patience import patient
from tests.pipeline.serving.world import copy_of, published, settings_of, sides

DEAD_SERVER = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture(scope="module")
def first_release(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("typed"))
    published(settings)
    return settings


@pytest.fixture
def settings(first_release, tmp_path, database, monkeypatch):
    settings = copy_of(first_release, tmp_path)
    for name in [name for name in os.environ if name.startswith("OLIST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    monkeypatch.setenv("OLIST_POSTGRES_URL", database)
    return settings


@pytest.fixture
def open_gate(monkeypatch):
    monkeypatch.setattr(gate, "cutover_objections", lambda *_: [])


def typed(command, *arguments):
    return CliRunner(env={"COLUMNS": "120"}).invoke(command, list(arguments), catch_exceptions=False)


def test_a_status_that_cannot_record_what_was_done_shows_it_all_the_same(settings, database, open_gate, monkeypatch):
    """The server of a disaster is a standby: it takes no changes, and shows the routes of before."""
    assert typed(cutover, "sales", "--reason", "green").exit_code == 0
    monkeypatch.setenv("OLIST_POSTGRES_URL", f"{database}&options=-c%20default_transaction_read_only%3Don")
    assert typed(rollback, "sales").exit_code == 0
    result = typed(status, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert {row["context"]: row["route"] for row in report["contexts"]}["sales"] == "old"
    assert "takes no changes" in report["unrecorded"]
    scored = json.loads(typed(criteria, "--json").stdout)
    assert {one["context"]: one["value"] for one in scored["criteria"] if one["name"] == "route"}["sales"] == "old"
    assert "takes no changes" in scored["unrecorded"]
    for command in (status, criteria):
        assert "Not in PostgreSQL yet: PostgreSQL takes no changes" in typed(command).stdout
    monkeypatch.setenv("OLIST_POSTGRES_URL", database)
    assert json.loads(typed(status, "--json").stdout)["unrecorded"] == ""


def test_a_cutover_says_what_it_switched_and_is_recorded(settings, database, open_gate):
    result = typed(cutover, "sales", "--reason", "three green weeks")
    assert "sales: shadow -> new" in result.output
    assert "Release 2 is served, as of 2018-10-17. Switched: fact_orders." in result.output
    assert "Note: 1 rows of fact_reviews (old)" in result.output
    [row] = routes.history(database, "sales")
    assert (row["new_route"], row["reason"], row["release"]) == ("new", "three green weeks", 2)
    assert (settings.serving / "standby" / "sales" / "manifest.json").exists(), "the way back is ready"


def test_what_the_gate_misses_is_listed_and_force_records_it(settings, database, monkeypatch):
    monkeypatch.setattr(gate, "cutover_objections", lambda *_: ["parity is red", "no streak"])
    with pytest.raises(OlistError, match="parity is red; no streak"):
        typed(cutover, "sales")
    with pytest.raises(OlistError, match="--force needs --reason"):
        typed(cutover, "sales", "--force")
    result = typed(cutover, "sales", "--force", "--reason", "the board decided")
    assert "Overruled: parity is red." in result.output
    [row] = routes.history(database, "sales")
    assert (row["overridden"], row["reason"]) == (["parity is red", "no streak"], "the board decided")


def test_a_rollback_works_without_postgresql_and_is_recorded_by_the_next_command(
    settings, database, open_gate, monkeypatch
):
    typed(cutover, "sales")
    monkeypatch.setenv("OLIST_POSTGRES_URL", DEAD_SERVER)
    report = json.loads(typed(rollback, "sales", "--json").output)
    assert (report["recorded"], sides(settings)["fact_orders"]) == (False, "old")
    assert len(routes.history(database)) == 1
    monkeypatch.setenv("OLIST_POSTGRES_URL", database)
    result = typed(cutover, "sales", "--to", "shadow")
    assert "sales: old -> shadow" in result.output
    assert [row["new_route"] for row in routes.history(database)] == ["new", "old", "shadow"]


def test_without_postgresql_a_rollback_says_where_its_record_is(settings, open_gate, monkeypatch):
    typed(cutover, "sales")
    monkeypatch.setenv("OLIST_POSTGRES_URL", DEAD_SERVER)
    monkeypatch.setattr(follow, "PATIENCE", patient(30))
    result = typed(rollback, "sales")
    assert "sales: new -> old" in result.output
    said = "journal.jsonl, and brought to PostgreSQL by the next command: PostgreSQL does not answer (connection to"
    assert said in result.output


def test_a_rollback_does_not_wait_for_a_server_that_hangs(settings, open_gate, monkeypatch):
    typed(cutover, "sales")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OLIST_POSTGRES_URL", f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none")
        result = typed(rollback, "sales")
    assert sides(settings)["fact_orders"] == "old"
    assert "it has not answered within 2 s." in result.output, "a connection is tried for ten seconds"


def test_nobody_who_reads_on_keeps_a_cutover_from_being_recorded(settings, database, open_gate, monkeypatch):
    def broken(*_, **__):
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("olist_pipeline.cli.cutover.click.echo", broken)
        assert typed(cutover, "sales").exit_code == 0
    assert [row["new_route"] for row in routes.history(database)] == ["new"]
    assert (settings.serving / "standby" / "sales" / "manifest.json").exists(), "the way back is ready"


def test_acknowledging_lifts_the_block(settings, open_gate):
    typed(cutover, "sales")
    rollbacks.rollback(settings, "sales", by="guard", reason="red", blocks=True)
    result = typed(acknowledge, "sales", "--reason", "the source was mended")
    assert "sales is not blocked any more; it is on old." in result.output


def test_retirement_and_its_undoing(settings, open_gate, monkeypatch):
    with pytest.raises(OlistError, match="`olist cutover sales` comes first"):
        typed(retire, "sales")
    monkeypatch.setenv("OLIST_RETIRE_AFTER_DAYS", "0")
    for context in ("sales", "marketplace", "customer", "fulfillment"):
        typed(cutover, context)
    assert "sales: new -> retired" in typed(retire, "sales").output
    assert "sales: retired -> new" in typed(retire, "sales", "--undo").output


def test_releases_are_listed_with_what_they_serve(settings, open_gate):
    typed(cutover, "sales")
    rows = json.loads(typed(releases, "--json").output)
    assert [(row["release"], row["served"], row["on new"], row["from"]) for row in rows] == [
        (2, "served", "sales", "release 1"),
        (1, "", "none", "warehouse"),
    ]
    assert "2018-10-17" in typed(releases).output


def test_a_release_can_be_verified(settings):
    assert "Release 1 is what it was when it was published: 6 tables" in typed(release, "verify", "1").output
    database = settings.serving / "releases" / "00001" / "serving.duckdb"
    database.write_bytes(database.read_bytes()[:4096])
    with pytest.raises(OlistError, match="cannot be read"):
        typed(release, "verify", "1")
    with pytest.raises(OlistError, match="no release 7"):
        typed(release, "verify", "7")


def test_every_command_is_there():
    context = click.Context(cli)
    assert set(COMMANDS) == set(cli.list_commands(context))
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert cli.get_command(context, "nothing") is None


def test_a_rollback_waits_for_nothing_that_it_does_not_use():
    """Dagster, the domain and Polars take longer to import than the rollback takes."""
    program = (
        "import sys; from olist_pipeline.cli.main import cli; cli.get_command(None, 'rollback'); "
        "print([name for name in ('dagster', 'polars', 'pydantic', 'dbt') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
