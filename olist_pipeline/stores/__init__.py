"""The operational stores in PostgreSQL: quarantine, verdicts, events and routes.

What belongs here: one module a store, each write idempotent. What does not: Dagster's own storage, files,
and decisions about what is stored.
"""
