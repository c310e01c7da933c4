"""Verdicts that were called `conservation` are called `reconciliation`, the word of the field.

Revision ID: 0003
"""

from alembic import op

from olist_pipeline.stores.schema import refuse_downgrade

revision = "0003"
down_revision = "0002"
downgrade = refuse_downgrade


def upgrade() -> None:
    """Rename the kind of comparison, in the rows that are there and in what the table lets in."""
    op.execute(STATEMENTS)


STATEMENTS = """
ALTER TABLE data_quality.parity_results DROP CONSTRAINT parity_results_comparison_check;
UPDATE data_quality.parity_results SET comparison = 'reconciliation' WHERE comparison = 'conservation';
ALTER TABLE data_quality.parity_results ADD CONSTRAINT parity_results_comparison_check
    CHECK (comparison IN ('parity', 'reconciliation'));
"""
