"""Roles of PostgreSQL: what each may do, and the statements that grant it.

What belongs here: the rights of the runtime role on each table, and the script. What does not: running it, which is the
work of whoever administrates the server.

The owner has created the schemas (`olist db migrate`) and may do everything. The runtime role runs the pipeline and
Dagster: it changes rows where a run does, appends where something is append-only, and creates nothing but temporary
tables, and partitions of events by two functions of the owner's. The analyst reads the operational schemas.
"""

from __future__ import annotations

import re

import psycopg2
from psycopg2.extensions import encrypt_password

from olist_pipeline.errors import OlistError
from olist_pipeline.stores.postgres import session_options, transaction
from olist_pipeline.stores.server_errors import LOCK_SECONDS

READ, APPEND, KEEP, REPLACE = "SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE", "SELECT, INSERT, UPDATE, DELETE"

RUNTIME_RIGHTS = {
    "data_quality.quarantine": REPLACE,
    "data_quality.parity_results": APPEND,
    "event_store.domain_events": APPEND,
    "event_store.batches": APPEND,
    "event_store.units": READ,
    "migration.routes": KEEP,
    "migration.route_history": APPEND,
    "migration.approvals": KEEP,
    "migration.home": KEEP,
    "migration.schema_version": READ,
}
"""What the runtime role may do with each operational table; of events, with their partitions through it."""

SCHEMAS = tuple(dict.fromkeys(table.partition(".")[0] for table in RUNTIME_RIGHTS))


def script(*, runtime: str, analyst: str) -> str:
    """Return the SQL that creates both roles where they are missing and grants what they need, and nothing else.

    It may run again, and should after each migration. Whoever runs it owns the schemas, and may create roles where they
    are missing. Raises OlistError where both have one name.
    """
    if runtime == analyst:
        raise OlistError(f"Runtime role and analyst are both called {runtime}; give them two names.")
    _refuse_odd(runtime, analyst)
    return _SCRIPT.format(
        runtime=f'"{runtime}"',
        analyst=f'"{analyst}"',
        first=runtime,
        names=f"'{runtime}', '{analyst}'",
        schemas=", ".join(SCHEMAS),
        rights="\n".join(f'GRANT {rights} ON {table} TO "{runtime}";' for table, rights in RUNTIME_RIGHTS.items()),
        sessions="\n".join(
            f"    ALTER ROLE \"{runtime}\" SET {name} = '{value}';" for name, value in session_options().items()
        ),
        lock_seconds=LOCK_SECONDS,
    )


def apply(url: str, *, runtime: str, analyst: str, password: str | None = None) -> None:
    """Run the script as the role of `url`, and give the runtime role a password, of which the server sees a hash.

    Raises OlistError for what the script refuses: no tables yet, and a role that no grant binds.
    """
    with transaction(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_min_messages = warning")
        try:
            cursor.execute(script(runtime=runtime, analyst=analyst))
        except psycopg2.errors.RaiseException as error:
            raise OlistError(str(error.diag.message_primary)) from error
        if password is not None:
            hashed = encrypt_password(password, runtime, connection, "scram-sha-256")
            cursor.execute(f'ALTER ROLE "{runtime}" PASSWORD %s', [hashed])


def _refuse_odd(*names: str) -> None:
    """Raise OlistError for a name that SQL would take for more than a name."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_.@-]{1,63}", name):
            raise OlistError(f"{name!r} is no name for a role; take letters, digits and underscores.")


_SCRIPT = """\
-- Roles of the Olist pipeline. Pipe into psql as the owner of the database, after `olist db migrate`; it may run again.
BEGIN;

DO $roles$
DECLARE
    name text;
    owner oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'event_store');
BEGIN
    IF to_regclass('migration.schema_version') IS NULL OR to_regclass('public.runs') IS NULL THEN
        RAISE EXCEPTION 'The tables are not there yet: run `olist db migrate` first.';
    END IF;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        ELSIF (SELECT rolsuper FROM pg_roles WHERE rolname = name) OR pg_has_role(name, owner, 'MEMBER') THEN
            RAISE EXCEPTION 'The role % is a superuser or owns the schemas: it may do everything, take another.', name;
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
        EXECUTE format('REVOKE CREATE ON DATABASE %I FROM %I', current_database(), name);
    END LOOP;
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), '{first}');
END $roles$;

-- Before PostgreSQL 15 everybody may create tables in public.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA public, {schemas} FROM {runtime}, {analyst};
REVOKE ALL ON ALL TABLES IN SCHEMA public, {schemas} FROM {runtime}, {analyst};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, {schemas} FROM {runtime}, {analyst};

-- The runtime role: the operational tables, and all of Dagster's (in public) but the version of their schema.
GRANT USAGE ON SCHEMA public, {schemas} TO {runtime};
{rights}
GRANT USAGE ON SEQUENCE event_store.event_positions TO {runtime};
REVOKE ALL ON FUNCTION event_store.create_unit, event_store.attach_unit FROM PUBLIC, {analyst};
GRANT EXECUTE ON FUNCTION event_store.create_unit, event_store.attach_unit TO {runtime};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {runtime};
REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM {runtime};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {runtime};

-- The analyst: reads the operational tables.
GRANT USAGE ON SCHEMA {schemas} TO {analyst};
GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {analyst};

-- The same for tables that a later migration creates, so that nothing stops until this script runs again.
DO $roles$
DECLARE
    owner regrole := (SELECT nspowner FROM pg_namespace WHERE nspname = 'event_store');
    grants text[] := ARRAY[
        '{schemas} GRANT SELECT, INSERT ON TABLES TO {runtime}',
        '{schemas} GRANT SELECT ON TABLES TO {analyst}',
        'public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {runtime}',
        'public GRANT USAGE, SELECT ON SEQUENCES TO {runtime}'
    ];
    rest text;
BEGIN
    FOREACH rest IN ARRAY grants LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s', owner, rest);
    END LOOP;
END $roles$;

-- The program sets these itself; they hold for psql, and behind a pooler that lets no settings through.
DO $roles$
BEGIN
{sessions}
    ALTER ROLE {analyst} SET lock_timeout = '{lock_seconds}s';
    ALTER ROLE {analyst} SET statement_timeout = '15min';
    ALTER ROLE {analyst} SET idle_in_transaction_session_timeout = '15min';
    ALTER ROLE {analyst} SET default_transaction_read_only = on;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'The settings of the roles are not made: that takes an administrator.';
END $roles$;

COMMIT;
"""
