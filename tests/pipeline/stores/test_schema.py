"""Versions of the operational schemas: from every released state upwards, never downwards."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres, schema, verdicts
from olist_pipeline.stores.verdicts import ComparisonKind
from tests.pipeline.event_rows import append, event, frame
from tests.pipeline.roles import RUNTIME, as_role

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
"""What earlier programs, which knew no versions, made of an empty database."""

SHAPE = """
SELECT 'column', format('%%s.%%s.%%s', table_schema, table_name, column_name),
       format('%%s %%s %%s %%s', data_type, is_nullable, column_default, is_identity)
FROM information_schema.columns WHERE table_schema = ANY(%(schemas)s)
UNION ALL
SELECT 'constraint', format('%%s %%s', conrelid::regclass, conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace::regnamespace::text = ANY(%(schemas)s) AND contype <> 'n'
UNION ALL
SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = ANY(%(schemas)s)
UNION ALL
SELECT 'trigger', format('%%s %%s', tgrelid::regclass, tgname), pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid::regclass::text ~ '^(data_quality|event_store|migration)\\.'
UNION ALL
SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace::regnamespace::text = ANY(%(schemas)s)
UNION ALL
SELECT 'comment', objoid::regclass || '.' || objsubid, description FROM pg_description
WHERE classoid = 'pg_class'::regclass AND objoid::regclass::text ~ '^(data_quality|event_store|migration)\\.'
"""
SCHEMAS = ["data_quality", "event_store", "migration"]


def shape(url):
    """Return everything that the schemas consist of, in words."""
    return {tuple(row.values()) for row in postgres.query(url, SHAPE, {"schemas": SCHEMAS})}


@pytest.fixture
def empty(server, request):
    """A database of its own on the server, in which nobody has been."""
    name = "empty_" + re.sub(r"\W", "_", request.node.name).lower()[:40]
    run(server, f"CREATE DATABASE {name}")
    yield server.replace("@/postgres?", f"@/{name}?")
    run(server, f"DROP DATABASE {name} WITH (FORCE)")


def run(url, statement):
    connection = postgres.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def record_old_verdicts(url):
    """Record three runs as a program before version 0003 did, the first of them red."""
    run(
        url,
        "INSERT INTO data_quality.parity_results"
        " (context, table_name, comparison, verdict, is_green, subject, report, run_id)"
        " SELECT 'sales', table_name, comparison, 'v', run_id > 'r1', 's', '{}', run_id"
        " FROM unnest(ARRAY['r1', 'r2', 'r3']) AS runs (run_id),"
        " (VALUES ('conservation', 'orders'), ('parity', 'fact_orders')) AS tables (comparison, table_name)"
        " ORDER BY run_id",
    )


def assert_verdicts_are_kept(url):
    kinds: dict[ComparisonKind, str] = {"reconciliation": "orders", "parity": "fact_orders"}
    for comparison, table in kinds.items():
        latest = verdicts.latest(url, comparison)
        assert [(key, one.run_id, one.is_green) for key, one in latest.items()] == [(("sales", table), "r3", True)]
    assert verdicts.streaks(url) == {"sales": 2}
    assert len(postgres.query(url, "SELECT 1 FROM data_quality.parity_results")) == 6


def test_the_program_needs_the_last_revision():
    scripts = ScriptDirectory.from_config(schema.migrations())
    assert scripts.get_heads() == [schema.HEAD]
    numbers = [one.revision for one in scripts.walk_revisions()]
    assert numbers == sorted(numbers, reverse=True), "versions are compared as numbers of four digits"
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_every_released_state_becomes_the_present_one_and_keeps_its_rows(empty, database, released):
    run(empty, released.read_text())
    run(empty, "INSERT INTO migration.routes (context, route, changed_by, reason) VALUES ('sales', 'new', 'me', 'so')")
    run(
        empty,
        "INSERT INTO event_store.domain_events (event_id, event_type, context, aggregate_type, aggregate_id, version,"
        " payload, occurred_at, run_id) SELECT md5(jsonb_build_array('sales', 'OrderPlaced', 'o1', occurred_at,"
        " payload)::text)::uuid, 'OrderPlaced', 'sales', 'order', 'o1', 1, payload, occurred_at, 'r'"
        " FROM (SELECT timestamp '2018-01-01' AS occurred_at, '{\"a\": 1}'::jsonb AS payload) AS event",
    )
    record_old_verdicts(empty)
    assert schema.database_version(empty) is None
    assert len(schema.state(empty).pending) == int(schema.HEAD)
    assert schema.migrate(empty) == (None, schema.HEAD)
    assert shape(empty) == shape(database)
    assert [row["context"] for row in postgres.query(empty, "SELECT context FROM migration.route_history")] == ["sales"]
    assert append(empty, frame(event(), event("o2"), event(kind="OrderApproved")), "r2") == 2
    found = postgres.query(
        empty, "SELECT aggregate_id, version, run_id FROM event_store.domain_events ORDER BY transaction_id, position"
    )
    assert [tuple(row.values()) for row in found] == [("o1", 1, "r"), ("o1", 2, "r2"), ("o2", 1, "r2")]
    assert_verdicts_are_kept(empty)


@pytest.mark.parametrize(("version", "pending"), [("0001", ["0002:", "0003:"]), ("0002", ["0003:"])])
def test_each_version_leads_to_the_present_one_and_keeps_its_verdicts(empty, database, version, pending):
    with schema.sole_migration(empty), schema._one_transaction(empty) as config:
        command.upgrade(config, version)
    record_old_verdicts(empty)
    assert [one[:5] for one in schema.state(empty).pending] == [*pending, "0004:", "0005:", "0006:"]
    with pytest.raises(OlistError, match=rf"version {version}, this program needs \d{{4}}: run `olist db migrate`"):
        schema.require(empty, may_migrate=False)
    schema.require(empty, may_migrate=True)
    assert shape(empty) == shape(database)
    assert_verdicts_are_kept(empty)


def test_who_could_append_before_partitions_can_append_after(empty, granted):
    with schema.sole_migration(empty), schema._one_transaction(empty) as config:
        command.upgrade(config, "0003")
    for rights in ("USAGE ON SCHEMA event_store", "SELECT, INSERT ON event_store.domain_events, event_store.batches"):
        run(empty, f"GRANT {rights} TO {RUNTIME}")
    run(empty, f"GRANT TEMPORARY ON DATABASE {urlsplit(empty).path[1:]} TO {RUNTIME}")
    schema.migrate(empty)
    runtime = as_role(empty, RUNTIME)
    assert append(runtime, frame(event()), "r1") == 1
    assert append(runtime, frame(event(), event("o2")), "r2") == 1


def test_an_empty_database_of_somebodys_is_not_filled_by_a_command_that_is_not_for_it(empty):
    with pytest.raises(OlistError, match="run `olist db migrate` as the role that owns it"):
        schema.ready_url(Settings(Path("h"), Path("l"), empty))
    assert shape(empty) == set()


def test_a_database_of_a_later_program_is_left_alone(empty):
    schema.migrate(empty)
    run(empty, "UPDATE migration.schema_version SET version_num = '0099'")
    for act in (schema.migrate, lambda url: schema.require(url, may_migrate=True)):
        with pytest.raises(OlistError, match=r"version 0099, this program knows up to \d{4}: update the program"):
            act(empty)
    assert schema.state(empty).pending == ()


def test_there_is_no_way_back(database):
    with (
        pytest.raises(OlistError, match="only by restoring a backup"),
        schema.sole_migration(database),
        schema._one_transaction(database) as config,
    ):
        command.downgrade(config, "-1")
    assert schema.database_version(database) == schema.HEAD


def test_two_migrations_at_once_are_one(empty):
    begin = threading.Barrier(2)

    def act(_):
        begin.wait()
        return schema.migrate(empty)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(act, range(2)))
    assert {after for _, after in done} == {schema.HEAD}
    assert schema.database_version(empty) == schema.HEAD


def test_where_the_version_is_right_nothing_is_asked_but_that(database, monkeypatch):
    asked = []
    transaction = postgres.transaction

    def noted(url):
        asked.append(url)
        return transaction(url)

    monkeypatch.setattr(schema, "transaction", noted)
    monkeypatch.setattr(schema, "_one_transaction", None)
    schema.require(database, may_migrate=True)
    assert schema.migrate(database) == (schema.HEAD, schema.HEAD)
    assert len(asked) == 2


def test_a_server_that_is_too_old_is_refused():
    with pytest.raises(OlistError, match="PostgreSQL 13 is too old: version 14 or later"):
        schema._refuse_unfit(130_011, "UTF8")
    schema._refuse_unfit(140_000, "UTF8")


def test_a_database_of_another_encoding_is_refused(server):
    run(server, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    url = server.replace("@/postgres?", "@/latin?")
    for act in (schema.migrate, schema.state, lambda url: schema.require(url, may_migrate=False)):
        with pytest.raises(OlistError, match=r"is in LATIN1, which cannot hold every text"):
            act(url)
    with pytest.raises(OlistError, match=r"cannot hold a text .* ENCODING 'UTF8'"):
        postgres.query(url, "SELECT %s::text", ["\u6771"])
    run(server, "DROP DATABASE latin")
