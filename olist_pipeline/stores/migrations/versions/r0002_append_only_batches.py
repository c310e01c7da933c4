"""The digests of appended batches are append-only, as the events are that they stand for.

Revision ID: 0002
"""

from alembic import op

from olist_pipeline.stores.schema import refuse_downgrade

revision = "0002"
down_revision = "0001"
downgrade = refuse_downgrade


def upgrade() -> None:
    """Refuse changes of `event_store.batches`, by the function that refuses those of the events."""
    op.execute(STATEMENTS)


STATEMENTS = """
CREATE OR REPLACE FUNCTION event_store.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
END $$;
CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.batches
    FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
"""
