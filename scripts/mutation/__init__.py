"""Mutation testing: change one operator or number of the code at a time, and see whether its tests notice.

What belongs here: which changes are made (`making`), which tests reach them (`recording`, `reach`), and running those
(`server`). What does not: the tests. Cosmic Ray, which makes the mutants, has an environment of its own; what runs
tests (`recording`, `server`) runs in the project's.
"""
