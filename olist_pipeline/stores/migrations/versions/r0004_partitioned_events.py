"""Events are in partitions, one a unit of work, each filled at once and indexed afterwards.

Every event that is there stays, in a partition for what no unit of work appended.

Revision ID: 0004
"""

from alembic import op

from olist_pipeline.stores.schema import refuse_downgrade

revision = "0004"
down_revision = "0003"
downgrade = refuse_downgrade


def upgrade() -> None:
    """Make the table of events the first partition of a new one, and let the runtime role make more of them."""
    op.execute(STATEMENTS)


STATEMENTS = """
ALTER TABLE event_store.domain_events RENAME TO events_0;
ALTER TABLE event_store.events_0 ALTER COLUMN position DROP IDENTITY;
ALTER TABLE event_store.events_0 ADD COLUMN unit integer NOT NULL DEFAULT 0 CHECK (unit = 0);

CREATE SEQUENCE event_store.event_positions CACHE 100;
SELECT setval('event_store.event_positions', coalesce(max(position), 0) + 1, false) FROM event_store.events_0;

CREATE TABLE event_store.domain_events (
    event_id       uuid        NOT NULL,
    event_type     text        NOT NULL,
    context        text        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    version        integer     NOT NULL CONSTRAINT domain_events_version_check CHECK (version > 0),
    unit           integer     NOT NULL DEFAULT 0,
    payload        jsonb       NOT NULL,
    occurred_at    timestamp   NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    transaction_id xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position       bigint      NOT NULL DEFAULT nextval('event_store.event_positions'),
    run_id         text        NOT NULL
) PARTITION BY LIST (unit);
ALTER SEQUENCE event_store.event_positions OWNED BY event_store.domain_events.position;
ALTER TABLE event_store.events_0 ALTER COLUMN position SET DEFAULT nextval('event_store.event_positions');
ALTER TABLE event_store.domain_events ATTACH PARTITION event_store.events_0 FOR VALUES IN (0);
ALTER TABLE event_store.events_0 DROP CONSTRAINT events_0_unit_check;
CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.domain_events
    FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();

-- The units of work whose events are here: the number of each is its partition's, `events_<number>`.
CREATE TABLE event_store.units (
    unit        integer     PRIMARY KEY CHECK (unit > 0),
    context     text        NOT NULL,
    name        text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (context, name)
);
CREATE SEQUENCE event_store.unit_numbers OWNED BY event_store.units.unit;

-- Of each batch: its unit, and the keys of the aggregates that are new in there, eight bytes each.
ALTER TABLE event_store.batches ADD COLUMN unit integer, ADD COLUMN aggregate_keys bytea;
ALTER TABLE event_store.batches ALTER COLUMN aggregate_keys SET STORAGE EXTERNAL;

-- The runtime role creates nothing, but for partitions, by these two functions in one transaction: the first makes a
-- table that belongs to nothing yet, the second makes what was copied into it a partition, and unchangeable.
CREATE FUNCTION event_store.create_unit(writer name DEFAULT current_user) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number integer := nextval('event_store.unit_numbers');
    named text := format('event_store.events_%s', number);
BEGIN
    EXECUTE format('CREATE TABLE %s (LIKE event_store.domain_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', named);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN unit SET DEFAULT %s, ADD CONSTRAINT of_unit CHECK (unit = %s)',
                   named, number, number);
    IF writer <> current_user THEN
        EXECUTE format('GRANT INSERT ON %s TO %I', named, writer);
    END IF;
    RETURN number;
END $$;

CREATE FUNCTION event_store.attach_unit(number integer, of_context text, named text, writer name DEFAULT current_user)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('event_store.events_%s', number);
BEGIN
    INSERT INTO event_store.units (unit, context, name) VALUES (number, of_context, named);
    EXECUTE format('CREATE UNIQUE INDEX events_%s_aggregate ON %s (aggregate_id, version, aggregate_type)'
                   ' WITH (fillfactor = 100)', number, part);
    EXECUTE format('CREATE UNIQUE INDEX events_%s_tail ON %s (transaction_id, position) WITH (fillfactor = 100)',
                   number, part);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change()', part);
    EXECUTE format('ALTER TABLE event_store.domain_events ATTACH PARTITION %s FOR VALUES IN (%s)', part, number);
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT of_unit', part);
    IF writer <> current_user THEN
        EXECUTE format('REVOKE INSERT ON %s FROM %I', part, writer);
    END IF;
    SET LOCAL default_statistics_target = 10;
    EXECUTE format('ANALYZE %s', part);
END $$;

-- Who reads or appends goes on, also until the roles are granted anew.
REVOKE ALL ON FUNCTION event_store.create_unit, event_store.attach_unit FROM PUBLIC;
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE item.grantee::regrole::text END AS grantee,
               item.privilege_type AS rights
        FROM pg_class AS events, aclexplode(events.relacl) AS item
        WHERE events.oid = 'event_store.events_0'::regclass AND item.grantee <> events.relowner
          AND item.privilege_type IN ('SELECT', 'INSERT')
    LOOP
        EXECUTE format('GRANT %s ON event_store.domain_events TO %s', given.rights, given.grantee);
        EXECUTE format('GRANT SELECT ON event_store.units TO %s', given.grantee);
        CONTINUE WHEN given.rights <> 'INSERT';
        EXECUTE format('GRANT USAGE ON SEQUENCE event_store.event_positions TO %s', given.grantee);
        EXECUTE format('GRANT EXECUTE ON FUNCTION event_store.create_unit, event_store.attach_unit TO %s',
                       given.grantee);
    END LOOP;
END $$;
"""
