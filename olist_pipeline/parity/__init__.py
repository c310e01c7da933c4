"""Parity: the proof that old, replay and new agree, and the account of where they do not and why.

What belongs here: reconciliation, attribution, causes, effects, and the page that tells them. What does not: how two
tables are compared (`tablediff`), which tables exist and when they are built (`orchestration`), or any rule of the
business.
"""
