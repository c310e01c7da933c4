"""`olist db`, and all commands on a database that others use: none waits for a reader, and none for ever."""

import json
import os
import re
import time
from contextlib import closing, contextmanager

import psycopg2
import pytest
from click.testing import CliRunner

from olist_pipeline.cli.main import COMMANDS, cli
from olist_pipeline.errors import OlistError
from olist_pipeline.serving import follow, gate
from olist_pipeline.stores import postgres, schema, server_errors
from tests.conftest import PROJECT
from tests.patience import patient
from tests.pipeline.roles import ANALYST, RUNTIME, alone, as_role
from tests.pipeline.serving.world import copy_of, published, settings_of


@pytest.fixture(scope="module")
def first_release(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("typed"))
    published(settings)
    return settings


@pytest.fixture
def home(first_release, tmp_path, database, dagster_server, monkeypatch):
    settings = copy_of(first_release, tmp_path)
    for name in [name for name in os.environ if name.startswith("OLIST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    monkeypatch.setenv("OLIST_POSTGRES_URL", database)
    monkeypatch.setenv("PGAPPNAME", "")
    monkeypatch.setattr(gate, "cutover_objections", lambda *_: [])
    return settings


def typed(*arguments):
    return CliRunner(env={"COLUMNS": "120"}).invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def empty(server, monkeypatch):
    """A database of somebody's in which nobody has been."""
    alone(server, "CREATE DATABASE somebodys")
    address = server.replace("@/postgres?", "@/somebodys?")
    monkeypatch.setenv("OLIST_POSTGRES_URL", address)
    yield address
    alone(server, "DROP DATABASE somebodys WITH (FORCE)")


def test_a_new_database_is_migrated_granted_and_used(empty, tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    refused = typed("events")
    assert "run `olist db migrate` as the role that owns it" in str(refused.exception)
    before = typed("db", "status")
    assert before.exit_code == 1
    assert "schema: none" in before.output
    assert "pending: 0001: The operational schemas" in before.output
    assert typed("db", "migrate").output.startswith(f"schema: {schema.HEAD}\ndagster: ")
    assert json.loads(typed("db", "migrate", "--json").output)["schema"] == {
        "before": schema.HEAD,
        "after": schema.HEAD,
    }
    (tmp_path / "password").write_text("runtime\n")
    granted = typed(
        "db",
        "roles",
        "--apply",
        "--runtime",
        RUNTIME,
        "--analyst",
        ANALYST,
        "--runtime-password-file",
        tmp_path / "password",
    )
    assert granted.exit_code == 0, granted.output
    monkeypatch.setenv("OLIST_POSTGRES_URL", as_role(empty, RUNTIME))
    said = json.loads(typed("db", "status", "--json").stdout)
    assert (said["role"], said["database"], said["schema"]["pending"]) == (RUNTIME, "somebodys", [])
    assert said["dagster"]["database"] == said["dagster"]["program"]
    assert said["home"] is None
    assert typed("events").exit_code == 0
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "lost"))
    for _ in range(2):
        assert typed("db", "adopt").output == f"The database belongs to {tmp_path / 'lost'}.\n"
    assert f"home: {tmp_path / 'lost'} on " in typed("db", "status").output
    monkeypatch.setenv("OLIST_HOME", str(tmp_path / "new"))
    assert "run `olist db adopt`" in str(typed("criteria").exception)
    assert f"not to {tmp_path / 'lost'} on" in typed("db", "adopt").output


def test_other_versions_are_reported(empty):
    typed("db", "migrate")
    alone(empty, "UPDATE public.alembic_version SET version_num = '16e3115a602a'")
    older = typed("db", "status")
    assert "Dagster's tables have version 16e3115a602a, Dagster needs" in str(older.exception)
    alone(empty, "UPDATE migration.schema_version SET version_num = '0099'")
    for arguments in (["events"], ["db", "migrate"], ["db", "status"], ["db", "roles", "--apply"]):
        result = typed(*arguments)
        assert result.exit_code == 1
        assert "update the program" in str(result.exception)


OTHERS = {
    "CREATE TABLE public.alembic_version AS SELECT 'abc123'::text AS version_num": "says abc123, which this Dagster",
    "CREATE TABLE public.runs (a int); CREATE TABLE public.jobs (a int)": r"Dagster's \(jobs, runs\): give",
    "CREATE SCHEMA migration; CREATE TABLE migration.routes (a int)": r"of ours \(migration.routes\): give",
    "CREATE VIEW public.runs AS SELECT 1 AS id": r"Dagster's \(runs\): give",
    "CREATE SCHEMA event_store; CREATE SEQUENCE event_store.event_positions": r"something .*event_positions.*: give",
    "CREATE SCHEMA event_store; CREATE FUNCTION event_store.create_unit() RETURNS int LANGUAGE sql AS 'SELECT 1'": (
        "something of another program .*create_unit.*: give"
    ),
    "DROP SCHEMA public": "has no schema `public`",
}
"""What an address that leads to somebody else's database finds there."""


@pytest.mark.parametrize("made", OTHERS)
def test_tables_of_another_program_are_left_alone(empty, made):
    alone(empty, made)
    result = typed("db", "migrate")
    assert isinstance(result.exception, OlistError)
    assert re.search(OTHERS[made], str(result.exception))
    status = json.loads(typed("db", "status", "--json").stdout)
    assert status["schema"]["database"] is None


def test_a_version_of_another_program_is_left_alone(empty):
    alone(empty, "CREATE SCHEMA migration; CREATE TABLE migration.schema_version (applied_at int)")
    for act in ("migrate", "status"):
        assert re.search(r"of ours \(migration.schema_version\): give", str(typed("db", act).exception))


@pytest.mark.parametrize("name", ["migration", "data_quality"])
def test_a_schema_of_another_role_is_named_with_its_owner(empty, granted, monkeypatch, name):
    alone(empty, f"CREATE SCHEMA {name}")
    alone(empty, f'GRANT CREATE ON SCHEMA public TO "{RUNTIME}"')
    monkeypatch.setenv("OLIST_POSTGRES_URL", as_role(empty, RUNTIME))
    said = str(typed("db", "migrate").exception)
    assert re.search(
        f"The schema {name} belongs to the role .*, and this is {RUNTIME}: run `olist db migrate` as", said
    )


def test_what_is_to_be_done_with_the_grants_must_be_said(home):
    assert "Give either --sql or --apply" in typed("db", "roles").output
    assert (
        'GRANT SELECT, INSERT ON event_store.domain_events TO "olist_runtime"' in typed("db", "roles", "--sql").output
    )


def test_a_file_that_is_no_password_is_refused(home, tmp_path):
    file = tmp_path / "password"
    file.write_bytes(b"\xff\xfe")
    arguments = ("db", "roles", "--apply", "--runtime-password-file", file)
    assert "--runtime-password-file" in str(typed(*arguments).exception)
    assert "no text in UTF-8" in str(typed(*arguments).exception)
    file.write_text("two\nlines\n")
    assert "on one line" in str(typed(*arguments).exception)
    file.write_text("good\n")
    assert "goes with --apply" in typed("db", "roles", "--sql", "--runtime-password-file", file).output


HANGS = 60
"""Seconds; a command takes a few on a busy machine, and each of its statements waits five at most."""

COMMANDS_TYPED = [
    ["events"],
    ["quarantine"],
    ["status"],
    ["parity"],
    ["parity", "approvals"],
    ["parity", "revoke", "1"],
    ["cutover", "sales"],
    ["rollback", "sales"],
    ["cutover", "sales", "--to", "shadow"],
    ["acknowledge", "sales", "--reason", "so"],
    ["retire", "sales"],
    ["retire", "sales", "--undo"],
    ["releases"],
    ["release", "verify", "1"],
    ["rules", "--context", "sales"],
    ["db", "status"],
    ["db", "migrate"],
    ["db", "roles", "--apply", "--runtime", RUNTIME, "--analyst", ANALYST],
    ["data", "check"],
    ["criteria"],
]
"""All that ask or change the stores, and others."""

WITHOUT_STORES = {"run", "backfill", "dashboards", "audit", "dev", "migration", "scaffold"}
"""`run` and `backfill` are tried where there is something to run; the others ask no store."""


def tables(url):
    """Return our tables and Dagster's."""
    rows = postgres.query(
        url,
        "SELECT format('%%I.%%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY(%s)",
        [["public", "data_quality", "event_store", "migration"]],
    )
    return [row["name"] for row in rows]


@contextmanager
def held(url, *statements):
    with closing(psycopg2.connect(url, application_name="pg_dump")) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        yield connection


def answers():
    """Type all commands; return what each ended with, where it did not end well."""
    said = {}
    for arguments in COMMANDS_TYPED:
        begun = time.monotonic()
        result = typed(*arguments)
        assert time.monotonic() - begun < patient(HANGS), arguments
        assert result.exception is None or isinstance(result.exception, OlistError | SystemExit), arguments
        said[" ".join(arguments)] = str(result.exception or result.stderr)
    return said


def test_every_command_answers_while_somebody_reads_everything(home, database, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE", patient(HANGS))
    with held(database, *(f"SELECT 1 FROM {name} LIMIT 1" for name in tables(database))):
        said = answers()
    assert not [words for words in said.values() if "A lock" in words or "Kept in" in words]


def test_every_command_says_which_lock_it_waits_for(home, database, monkeypatch):
    monkeypatch.setattr(server_errors, "LOCK_SECONDS", 0.2)
    with held(database, f"LOCK TABLE {', '.join(tables(database))}"):
        said = answers()
    waited = {name for name, words in said.items() if "A lock was not free in time" in words}
    assert {"events", "quarantine", "status", "parity", "db status", "db migrate", "cutover sales"} <= waited
    assert "Kept in" in said["rollback sales"], "it has its effect"


def test_the_server_sees_which_command_is_connected(home, database):
    seen = []

    def look(url, **_):
        seen.extend(
            postgres.query(url, "SELECT application_name AS name FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        )
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("olist_pipeline.stores.events.find", look)
        typed("events")
    assert [row["name"] for row in seen] == ["olist events"]


def test_no_command_is_forgotten():
    named = set(re.findall(r"`olist (\w+)", (PROJECT / "README.md").read_text()))
    tried = {arguments[0] for arguments in COMMANDS_TYPED} | WITHOUT_STORES
    assert named - {"generate"} <= tried == set(COMMANDS)
