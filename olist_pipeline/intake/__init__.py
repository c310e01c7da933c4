"""Intake, the anti-corruption layer: landing rows as typed records, with their order's month.

What belongs here: casting cells, and the structural rules: required cells, types, duplicate keys, orphans.
What does not: business rules (the contexts apply those to typed rows).
"""
