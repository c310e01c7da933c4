"""The revisions, each of which Alembic reads by its path."""
