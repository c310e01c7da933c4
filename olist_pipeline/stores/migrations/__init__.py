"""The versions of the operational schemas, a revision of Alembic's each.

What belongs here: statements that bring a database from one version to the next. What does not: when they run
(`stores.schema`), and rights on what they make (`stores.roles`).

A revision that was released is never changed. A new one has the next number, which `stores.schema.HEAD` then names, and
a table that it makes gets its line in `stores.roles`. There is no way back but a backup.
"""
