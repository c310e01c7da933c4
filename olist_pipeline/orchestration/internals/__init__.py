"""Everything that uses private names of Dagster and its libraries: an upgrade of them is read here first.

What belongs here: code that cannot do its work by public names, and no other. What does not: names that are public, and
what follows from the work.

Each module says which private names it uses and which public way was tried; `docs/upgrading.md` lists them with what is
lost without each. ruff refuses private names everywhere else (PLC2701, SLF001).
"""
