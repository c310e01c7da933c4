"""A partition that was filled is left in peace by autovacuum until it grows.

COPY has frozen its rows, and the function that attaches it has analysed them. PostgreSQL counts both as still to be
done, for they happen in the transaction that makes the rows.

Revision ID: 0005
"""

from alembic import op

from olist_pipeline.stores.schema import refuse_downgrade

revision = "0005"
down_revision = "0004"
downgrade = refuse_downgrade


def upgrade() -> None:
    """Let partitions be vacuumed and analysed for what comes after their first rows."""
    op.execute(STATEMENTS)


STATEMENTS = """
CREATE OR REPLACE FUNCTION event_store.attach_unit(
    number integer, of_context text, named text, writer name DEFAULT current_user
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text := format('event_store.events_%s', number);
    filled bigint;
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
    SELECT greatest(reltuples, 0) + 1000 INTO filled FROM pg_class WHERE oid = part::regclass;
    -- Autovacuum counts the rows above as changed, and would analyse them again, by ten times the sample.
    EXECUTE format('ALTER TABLE %s SET (autovacuum_analyze_threshold = %s, autovacuum_vacuum_insert_threshold = %s)',
                   part, filled, filled);
END $$;
"""
