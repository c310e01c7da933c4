"""Output: tables and JSON, the same for every reporting command.

What belongs here: rendering rows. What does not: getting them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""The option of every reporting command."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

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


def inert(text: str) -> str:
    """Return a text that prints as it is: it neither styles nor steers the terminal, whoever wrote it."""
    return escape(CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text))


def print_json(value: object) -> None:
    """Print `value` as JSON; dates and ids as text."""
    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table for the terminal; numbers stand to the right, verdicts have their colour."""
    rendered = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
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
        console.print(Text(f"{share['sentence']}{ends}.", style=colour), soft_wrap=True)


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    # A cell of a bad row may hold anything, also what rich would take for its own markup.
    text = "" if value is None else inert(str(value))
    colour = COLOUR_OF.get(text)
    return f"[{colour}]{text}[/{colour}]" if colour else text
