"""The lines of a template for the lines of the SQL that it gave.

What belongs here: marks of lines that pass through a rendering, and aligning two texts where there are none. What does
not: rendering one into the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

WORD = re.compile(r"\w+")
CALL = re.compile(r"\{\{.*?\}\}", re.DOTALL)
COLUMN_WEIGHT = 3


MARK = re.compile("\x02(\\d+)\x03")
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def marked(template: str) -> str:
    """Return a template that writes a mark at the beginning of each of its lines, except within tags of Jinja.

    So what a macro gives has the mark of the line on which its call begins, and each turn of a loop has its own marks.
    What follows a tag of several lines on its last one has a mark of its own, unless it continues a word.
    """
    within = [(tag.start(), tag.end()) for tag in TAG.finditer(template)]
    parts, at, number = [], 0, 0
    for line, text in enumerate(template.splitlines(keepends=True), 1):
        while number < len(within) and within[number][1] <= at:
            number += 1
        is_in_tag = number < len(within) and within[number][0] < at
        end = within[number][1] - at if is_in_tag else len(text)
        if end < len(text) and text[end].isspace():
            parts += [text[:end], f"\x02{line}\x03", text[end:]]
        else:
            parts += [text] if is_in_tag else [f"\x02{line}\x03", text]
        at += len(text)
    return "".join(parts)


def located(sql: str, with_marks: str) -> tuple[str, ExactLines] | None:
    """Return SQL in which no line is of two lines of its template, and the lines; None where marks changed the SQL.

    `with_marks` is what the marked template gave, `sql` what the template itself gave.
    """
    if "".join(MARK.sub("", with_marks).split()) != "".join(sql.split()):
        return None
    lines, written, current = [1], [], 1
    for number, part in enumerate(MARK.split(with_marks)):
        if number % 2:
            current = int(part)
            lines.append(current)
            written.append("\n")
        else:
            lines += [current] * part.count("\n")
            written.append(part)
    return "".join(written), ExactLines(lines)


@dataclass(frozen=True)
class ExactLines:
    """The line of a template, from 1, for each line of the SQL that it gave."""

    lines: Sequence[int]

    def line_of(self, first: int, last: int, column: str) -> int:
        """Return the template's line of SQL that begins on a line, from 1."""
        return self.lines[min(max(first, 1), len(self.lines)) - 1]


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
            only = min(begin, len(self._template) - 1)
            return self._calls.get(only, only) + 1
        words = set(WORD.findall(" ".join(self._sql[at : max(last, first)]).lower()))

        def score(number: int) -> tuple[int, bool, bool, int]:
            own = set(WORD.findall(self._template[number].lower()))
            named = COLUMN_WEIGHT if column and column.lower() in own else 0
            return named + len(own & words), "{{" in self._template[number], bool(own), -number

        best = max(range(begin, min(end, len(self._template))), key=score)
        return self._calls.get(best, best) + 1

    @cached_property
    def _calls(self) -> dict[int, int]:
        """For each line within a Jinja expression over several lines, the one on which it begins: what is called."""
        text = "\n".join(self._template)
        found: dict[int, int] = {}
        for call in CALL.finditer(text):
            first = text.count("\n", 0, call.start())
            found |= dict.fromkeys(range(first, first + call[0].count("\n") + 1), first)
        return found

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
