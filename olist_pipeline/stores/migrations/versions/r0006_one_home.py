"""The database knows the home that it belongs to: another one is refused.

Revision ID: 0006
"""

from alembic import op

from olist_pipeline.stores.schema import refuse_downgrade

revision = "0006"
down_revision = "0005"
downgrade = refuse_downgrade


def upgrade() -> None:
    """Make the place for the one home; the first that works with the database takes it."""
    op.execute(STATEMENTS)


STATEMENTS = """
CREATE TABLE migration.home (
    only_one boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    identity uuid        NOT NULL,
    place    text        NOT NULL,
    since    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE migration.home IS
    'the OLIST_HOME whose routes, verdicts and quarantine are here: what its file `identity` says, and its place'
"""
