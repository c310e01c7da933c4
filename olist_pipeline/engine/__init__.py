"""The engine: the domain's rules, derivations, roll-ups and events on whole frames.

What belongs here: running any rulebook on any frame. What does not: a particular context or table.
"""
