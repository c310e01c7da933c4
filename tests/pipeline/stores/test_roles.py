"""Roles: with the printed grants and nothing else a pipeline runs, and the event store is safe from whoever runs it."""

from datetime import date

import polars as pl
import psycopg2
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.stores import (
    approvals,
    events,
    postgres,
    quarantine,
    roles,
    routes,
    schema,
    verdicts,
)
from tests.pipeline.event_rows import append, event, frame
from tests.pipeline.roles import ANALYST, RUNTIME, alone, as_role, psql


@pytest.fixture
def runtime(granted, database):
    return as_role(database, RUNTIME)


@pytest.fixture
def analyst(granted, database):
    return as_role(database, ANALYST)


EVENTS = frame(event())
REJECTED = pl.DataFrame(
    {
        "context": ["sales"],
        "aggregate_type": ["order"],
        "aggregate_id": ["o2"],
        "source_table": ["orders"],
        "source_file": ["orders.csv"],
        "source_row": [2],
        "rules": ["SOME_RULE"],
        "payload": ['{"order_id": "o2"}'],
        "order_month": [date(2018, 1, 1)],
    }
)


def test_every_table_has_its_rights_named(database):
    found = postgres.query(
        database,
        "SELECT format('%%s.%%s', relnamespace::regnamespace, relname) AS name FROM pg_class"
        " WHERE relnamespace::regnamespace::text = ANY(%s) AND relkind IN ('r', 'p') AND NOT relispartition",
        [list(roles.SCHEMAS)],
    )
    assert {row["name"] for row in found} == set(roles.RUNTIME_RIGHTS)


def test_the_runtime_role_does_all_that_a_run_does_with_the_stores(runtime):
    schema.require(runtime, may_migrate=False)
    assert schema.state(runtime).role == RUNTIME
    assert append(runtime, EVENTS, "r1") == 1
    assert append(runtime, EVENTS, "r2") == 0
    assert append(runtime, EVENTS, "r3", unit="another") == 0
    assert events.count_by_type(runtime).in_store == {"OrderPlaced": 1}
    for rows in (REJECTED, REJECTED.clear(), REJECTED):
        quarantine.replace_rows(runtime, "intake", ["orders"], None, [rows], "r1")
    assert quarantine.source_rows(runtime, "orders", "orders") == [2]
    verdicts.record(runtime, verdicts.Verdict("sales", "t", "parity", "identical", True, "s", {}, "r1"))
    assert verdicts.streaks(runtime) == {"sales": 1}
    switched: list[tuple[routes.Action, routes.Change]] = [
        ("cutover", routes.Change("sales", "shadow", "new")),
        ("rollback", routes.Change("sales", "new", "old")),
    ]
    for number, (action, change) in enumerate(switched):
        act = routes.Act(f"00000000-0000-0000-0000-{number:012}", action, (change,), "2026-01-01", "me", "so")
        assert routes.record(runtime, [act]) == 1
    assert [row["new_route"] for row in routes.history(runtime)] == ["new", "old"]
    routes.record_release(runtime, ["sales"], 3)
    given = approvals.approve(
        runtime, table="t", column="c", reason="so", until=date.max, approved_by="me", today=date(2026, 1, 1)
    )
    approvals.revoke(runtime, given.approval_id, revoked_by="me")
    postgres.flush(runtime)


FORBIDDEN = [
    "UPDATE event_store.events_1 SET payload = '{}'",
    "DELETE FROM event_store.events_1",
    "TRUNCATE event_store.events_1",
    "INSERT INTO event_store.events_1 SELECT * FROM event_store.domain_events",
    "ALTER TABLE event_store.domain_events DETACH PARTITION event_store.events_1",
    "ALTER TABLE event_store.events_1 DISABLE TRIGGER ALL",
    "DROP TABLE event_store.events_1",
    "DROP INDEX event_store.events_1_aggregate",
    "INSERT INTO event_store.units VALUES (9, 'sales', 'mine')",
    "UPDATE event_store.units SET unit = 9",
    "ALTER FUNCTION event_store.create_unit RESET search_path",
    "SELECT setval('event_store.event_positions', 1)",
    "UPDATE event_store.domain_events SET payload = '{}'",
    "DELETE FROM event_store.domain_events",
    "TRUNCATE event_store.domain_events",
    "MERGE INTO event_store.domain_events e USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "INSERT INTO event_store.batches VALUES ('') ON CONFLICT (digest) DO UPDATE SET digest = 'other'",
    "UPDATE event_store.batches SET digest = ''",
    "DELETE FROM event_store.batches",
    "TRUNCATE event_store.batches",
    "DELETE FROM migration.route_history",
    "UPDATE migration.route_history SET reason = ''",
    "UPDATE data_quality.parity_results SET is_green = true",
    "UPDATE migration.schema_version SET version_num = '0000'",
    "UPDATE public.alembic_version SET version_num = '0000'",
    "ALTER TABLE event_store.domain_events DISABLE TRIGGER append_only",
    "ALTER TABLE event_store.domain_events DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON event_store.domain_events",
    "CREATE TRIGGER mine BEFORE INSERT ON event_store.domain_events"
    " FOR EACH ROW EXECUTE FUNCTION event_store.refuse_change()",
    "CREATE RULE mine AS ON INSERT TO event_store.domain_events DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION event_store.refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "ALTER FUNCTION event_store.refuse_change() RENAME TO other",
    "DROP FUNCTION event_store.refuse_change() CASCADE",
    "ALTER TABLE event_store.domain_events ADD COLUMN mine text",
    "ALTER TABLE event_store.domain_events ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE event_store.domain_events OWNER TO CURRENT_USER",
    "DROP TABLE event_store.domain_events",
    "DROP SCHEMA event_store CASCADE",
    "ALTER SCHEMA event_store RENAME TO other",
    "BEGIN; LOCK TABLE event_store.domain_events IN ACCESS EXCLUSIVE MODE",
    "CREATE TABLE event_store.mine (a int)",
    "CREATE TABLE public.mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE mine",
    "SET session_replication_role = replica",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "COPY event_store.domain_events FROM PROGRAM 'true'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/olist-never-written'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_import('/etc/passwd')",
    "ALTER SYSTEM SET fsync = off",
    "SELECT * FROM pg_authid",
    "UPDATE pg_trigger SET tgenabled = 'D'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_what_the_runtime_role_may_not_do_fails(runtime, statement):
    append(runtime, EVENTS, "r1")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        alone(runtime, statement)
    assert events.count_by_type(runtime).in_store == {"OrderPlaced": 1}


def test_a_table_that_belongs_to_nothing_may_be_filled_and_is_no_way_to_change_what_does(runtime):
    append(runtime, EVENTS, "r1")
    with postgres.transaction(runtime) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT event_store.create_unit()")
    for again in ("attach_unit(1, 'sales', 'mine')", "attach_unit(0, 'sales', 'mine')", "create_unit('nobody')"):
        with pytest.raises(psycopg2.Error):
            alone(runtime, f"SELECT event_store.{again}")
    assert events.count_by_type(runtime).in_store == {"OrderPlaced": 1}


def test_the_analyst_makes_no_partition(analyst):
    for statement in ("SELECT event_store.create_unit()", "SELECT event_store.attach_unit(1, 'sales', 'mine')"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            alone(f"{analyst}&options=-cdefault_transaction_read_only%3Doff", statement)


def test_nobody_passes_on_a_right_that_he_has_not(runtime):
    alone(runtime, "GRANT DELETE ON event_store.domain_events TO CURRENT_USER")  # a warning, without an effect
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        alone(runtime, "DELETE FROM event_store.domain_events")


def test_what_is_refused_for_want_of_a_right_is_one_sentence(runtime):
    with pytest.raises(OlistError, match=r"may not do this \(permission denied for table domain_events\); `olist db"):
        postgres.query(runtime, "DELETE FROM event_store.domain_events RETURNING 1")


def test_the_analyst_reads_the_operational_tables_and_nothing_of_dagster(analyst, runtime):
    append(runtime, EVENTS, "r1")
    assert events.count_by_type(analyst).in_store == {"OrderPlaced": 1}
    for table in roles.RUNTIME_RIGHTS:
        postgres.query(analyst, f"SELECT * FROM {table}")
    for statement in (
        "SELECT * FROM public.runs",
        "SELECT * FROM public.event_logs",
        "DELETE FROM data_quality.quarantine",
        "CREATE TABLE public.mine (a int)",
        *FORBIDDEN[-5:],
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            alone(f"{analyst}&options=-cdefault_transaction_read_only%3Doff", statement)
    with pytest.raises(OlistError, match=r"takes no changes|may not do this"):
        append(analyst, frame(event("o2")), "r2")


def test_a_table_of_a_later_version_can_be_used_before_the_grants_are_given_again(granted, runtime, analyst):
    try:
        alone(granted, "CREATE TABLE data_quality.later AS SELECT 1 AS a")
        alone(runtime, "INSERT INTO data_quality.later VALUES (2)")
        assert len(postgres.query(analyst, "SELECT a FROM data_quality.later")) == 2
    finally:
        alone(granted, "DROP TABLE data_quality.later")


def test_the_roles_have_time_limits_of_their_own(granted):
    rows = postgres.query(
        granted, "SELECT rolname, rolconfig FROM pg_roles WHERE rolname = ANY(%s)", [[RUNTIME, ANALYST]]
    )
    limits = {row["rolname"]: row["rolconfig"] for row in rows}
    assert {f"{name}={value}" for name, value in postgres.session_options().items()} <= set(limits[RUNTIME])
    assert "default_transaction_read_only=on" in limits[ANALYST]


def test_the_grants_can_be_given_without_psql_and_with_a_password_that_the_server_never_sees(granted):
    roles.apply(granted, runtime=RUNTIME, analyst=ANALYST, password="it's a \\secret")
    [row] = postgres.query(granted, "SELECT rolpassword FROM pg_authid WHERE rolname = %s", [RUNTIME])
    assert row["rolpassword"].startswith("SCRAM-SHA-256$")
    roles.apply(granted, runtime=RUNTIME, analyst=ANALYST, password=RUNTIME)
    [row] = postgres.query(as_role(granted, RUNTIME), "SELECT current_user AS name")
    assert row["name"] == RUNTIME


@pytest.mark.parametrize("name", ["", "a b", 'x"; DROP TABLE t; --', "ü" * 3, "a" * 64, "$roles$"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(OlistError, match="no name for a role"):
        roles.script(runtime=name, analyst="a")


def test_a_role_that_no_grant_binds_is_refused(granted):
    ran = psql(granted, roles.script(runtime="postgres", analyst=ANALYST))
    assert ran.returncode != 0
    assert "is a superuser or owns the schemas" in ran.stderr
    with pytest.raises(OlistError, match=r"^The role postgres is a superuser or owns the schemas: .* take another\.$"):
        roles.apply(granted, runtime="postgres", analyst=ANALYST)
    with pytest.raises(OlistError, match="give them two names"):
        roles.script(runtime="a", analyst="a")


def test_without_tables_the_script_says_what_comes_first(granted):
    alone(granted, "CREATE DATABASE nothing_here")
    try:
        ran = psql(granted.replace("@/postgres?", "@/nothing_here?"), roles.script(runtime=RUNTIME, analyst=ANALYST))
        assert "run `olist db migrate` first" in ran.stderr
    finally:
        alone(granted, "DROP DATABASE nothing_here WITH (FORCE)")
