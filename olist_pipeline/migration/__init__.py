"""The migration: what one file says of an old dbt project, the new one beside it, and the tables that they share.

What belongs here: that file and its errors, the profiles with which each project is run, and what keeps replay from
reading anything but accepted rows. What does not: running dbt (`orchestration`), comparing tables, and any name of a
table of ours: those stand in `dbt/migration.yml`, which is the default file.
"""
