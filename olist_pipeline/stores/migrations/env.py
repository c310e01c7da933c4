"""How Alembic runs the revisions: on the connection that it is given, in its transaction."""

from alembic import context

from olist_pipeline.stores.schema import VERSION_SCHEMA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
