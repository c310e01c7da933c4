"""Output: tables and JSON, the same for every reporting command.

What belongs here: rendering rows. What does not: getting them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from olist_pipeline.cli.visible import json_text, visible

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""The option of every reporting command."""

COLOUR_OF = {
    "identical": "green",
    "explained": "yellow",
    "approved": "yellow",
    "differs": "red",
    "holds": "green",
    "does not hold": "red",
    "green": "green",
    "not green": "red",
    "not known": "yellow",
}


LONGEST_WHOLE = 24
"""A longer word, such as a key, may be broken; where a shorter one would be, there are records."""


class Fitted(Table):
    """A table that breaks no word; where it is too wide for that, each row is a record: a line for each column."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title, title_justify="left", title_style="bold", header_style="bold")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, or its records."""
        room = options.max_width - 3 * len(self.columns) - 1
        needs = [self._need(console, options, [column.header, *column.cells]) for column in self.columns]
        if sum(word for word, _ in needs) > room:
            yield from self._records()
            return
        for most in range(room, 0, -1):
            widths = [min(line, max(word, most)) for word, line in needs]
            if sum(widths) <= room:
                break
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    @staticmethod
    def _need(console: Console, options: ConsoleOptions, cells: Sequence[Any]) -> tuple[int, int]:
        """Return the width of the longest word and that of the longest line of a column, its head included."""
        found = [Measurement.get(console, options.update_width(10_000), cell) for cell in cells]
        line = max(one.maximum for one in found)
        return min(max(one.minimum for one in found), LONGEST_WHOLE, line), line

    def _records(self) -> RenderResult:
        yield Text(str(self.title), style="bold")
        heads = [column.header for column in self.columns]
        for row, cells in zip(self.rows, zip(*(column.cells for column in self.columns), strict=True), strict=True):
            record = Table.grid(padding=(0, 2, 0, 0))
            record.add_column(no_wrap=True)
            record.add_column(overflow="fold")
            for head, cell in zip(heads, cells, strict=True):
                if cell:
                    record.add_row(f"  {head}", cell, style=row.style)
            yield record
            yield Text()


def inert(text: str) -> str:
    """Return a text that prints as it is: it neither styles nor steers the terminal, whoever wrote it."""
    return escape(visible(text))


def print_json(value: object) -> None:
    """Print `value` as JSON; dates and ids as text."""
    click.echo(json_text(value, indent=2))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Fitted:
    """Return a table for the terminal; numbers stand to the right, verdicts have their colour."""
    rendered = Fitted(title)
    cells = [list(row) for row in rows]
    for index, column in enumerate(columns):
        values = [row[index] for row in cells if row[index] is not None]
        is_number = bool(values) and all(isinstance(value, int | float) for value in values)
        rendered.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in cells:
        rendered.add_row(*map(_cell, row))
    return rendered


def print_rows(console: Console, title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print dictionaries as a table of `columns`."""
    console.print(table(title, columns, [[row[column] for column in columns] for row in rows]))


def tell_shares(console: Console, shares: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each table of which too much is rejected; `shares` as of `Share.to_dict`."""
    for share in shares:
        colour, ends = ("red", "; nothing is released of so little") if share["stops"] else ("yellow", "")
        console.print(Text(visible(f"{share['sentence']}{ends}."), style=colour), soft_wrap=True)


def tell_unrecorded(console: Console, reason: str) -> None:
    """Print why acts are not in PostgreSQL yet, where there is a reason."""
    if reason:
        console.print(Text(visible(f"Not in PostgreSQL yet: {reason}"), style="yellow"), soft_wrap=True)


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    # A cell of a bad row may hold anything, also what rich would take for its own markup.
    text = "" if value is None else inert(str(value))
    colour = COLOUR_OF.get(text)
    return f"[{colour}]{text}[/{colour}]" if colour else text
