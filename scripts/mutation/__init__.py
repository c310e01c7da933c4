"""Mutation testing: change one operator or number of the code at a time, and see whether its tests notice.

What belongs here: which changes are made (`making`), which tests reach them (`recording`, `reach`), running those
(`server`), and what an interrupted run has found (`kept`). What does not: the tests. Cosmic Ray, which makes the
mutants, has an environment of its own; what runs tests (`recording`, `server`) runs in the project's.
"""
