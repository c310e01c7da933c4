"""Table comparison: two relations, row by row and cell by cell, whatever they come from.

What belongs here: contracts, sources (files, tables), the comparison and its report. What does not: anything that
knows this project's tables, rules or stores (`parity` makes verdicts of comparisons). It stands on DuckDB alone.
"""
