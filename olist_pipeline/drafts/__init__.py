"""Drafts: what a team begins with, written from its own dbt project: a migration file, records, rules and their tests.

What belongs here: reading the old project and writing files for people to go on with. What does not: deciding anything
for them: a draft names what is open, and its tests fail until somebody has decided.
"""
