"""The lines of a template for the lines of the SQL that it gave.

What belongs here: aligning two texts. What does not: rendering one into the other.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import cached_property

WORD = re.compile(r"\w+")
COLUMN_WEIGHT = 3


class LineMap:
    """Finds the line of a template that a piece of its SQL comes from.

    Lines without Jinja are the same in both. What lies between two of these came from what lies between them in the
    template; of several lines there, the one that has most words of the piece is taken, its column's name above all.
    """

    def __init__(self, template: str, sql: str) -> None:
        self._template = template.splitlines()
        self._sql = sql.splitlines()
        self._is_same = template == sql

    def line_of(self, first: int, last: int, column: str) -> int:
        """Return the template's line of SQL that begins and ends on these lines, all from 1."""
        if self._is_same or not self._template:
            return first
        at = min(max(first, 1), len(self._sql)) - 1
        begin, end = self._gaps[at] if self._gaps else (0, 1)
        if end - begin <= 1:
            return min(begin, len(self._template) - 1) + 1
        words = set(WORD.findall(" ".join(self._sql[at : max(last, first)]).lower()))

        def score(number: int) -> tuple[int, int]:
            own = set(WORD.findall(self._template[number].lower()))
            named = COLUMN_WEIGHT if column and column.lower() in own else 0
            return named + len(own & words), -number

        return max(range(begin, min(end, len(self._template))), key=score) + 1

    @cached_property
    def _gaps(self) -> list[tuple[int, int]]:
        """For each line of the SQL, the lines of the template that it may come from: first, and one past the last."""
        own, given = ([line.strip() for line in text] for text in (self._template, self._sql))
        spans: list[tuple[int, int]] = [(0, len(own))] * len(given)
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, own, given, autojunk=False).get_opcodes():
            for number in range(j1, j2):
                if tag == "equal":
                    spans[number] = (i1 + number - j1, i1 + number - j1 + 1)
                elif tag == "insert":
                    # A loop gave more lines than it has: they come from the lines around.
                    spans[number] = (max(i1 - 1, 0), min(i1 + 1, len(own)))
                else:
                    spans[number] = (i1, i2)
        return spans
