"""The audit: business logic that hides in SQL, found in any dbt project or folder of SQL files.

What belongs here: reading SQL (with or without Jinja), telling business logic from technical SQL, comparing what
was found, and joining it with the rulebooks. What does not: any business rule, and reading data: the audit opens
no database. All modules but `trace` stand alone, so that the audit runs on a project that is not this one.
"""
