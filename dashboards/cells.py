"""Cells: what the tables and cards of a page say in a cell.

What belongs here: codes, ids and verdicts as words and badges. What does not: numbers and dates (see `formats`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from dashboards import formats
from dashboards.page import Badge, Table

ROUTES = {
    "old": ("grey", "The old tables are served"),
    "shadow": ("blue", "The old tables are served, the new ones compared on every run"),
    "new": ("green", "The new tables are served"),
    "retired": ("green", "The new tables are served, the old ones no longer built"),
}
"""The colour of a route and what it means."""

VERDICTS = {"Identical": "green", "Explained": "amber", "Approved": "blue", "Differs": "red"}
"""The colour of a verdict of parity."""

SHORT = 8


def in_words(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the frame with the codes of some columns as words."""
    return frame.with_columns(
        pl.col(column).map_elements(formats.words, pl.String, skip_nulls=False) for column in columns
    )


def in_cities(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the cities as they are written, and with a column `seller` for those who are one."""
    named = frame.with_columns(pl.col("city").map_elements(formats.city, pl.String, skip_nulls=False))
    if "seller_id" not in frame.columns:
        return named
    return named.with_columns(pl.col("seller_id").str.slice(0, SHORT).alias("seller"))


def meanings(definitions: pl.DataFrame) -> dict[str, str]:
    """Return what each derived attribute means, by `table.attribute`, from the answer to the query `definitions`."""
    return {attribute: formats.sentence(text) for attribute, text in definitions.iter_rows()}


def words_of_page(meaning: Mapping[str, str], words: Mapping[str, str]) -> Table:
    """Return the table that says what the words of a page mean; `words` names the attribute of each."""
    rows = [(word, meaning.get(attribute, formats.NONE)) for word, attribute in words.items()]
    frame = pl.DataFrame(rows, {"word": pl.String, "meaning": pl.String}, orient="row")
    columns = {"word": ("Word", str), "meaning": ("What it means", str)}
    return Table("Words of this page", frame, columns, "As the domain defines them")


def short_id(value: str | None) -> str:
    """Return the beginning of an id of 32 digits, which is enough to tell it apart."""
    return formats.NONE if value is None else value[:SHORT]


def signed_days(days: float | None) -> str:
    """Return days against a promise: -11.9 is 11.9 days early."""
    if days is None:
        return formats.NONE
    return f"{formats.decimal(abs(days))} days {'early' if days < 0 else 'late'}"


def holds(value: bool | None) -> Badge:
    """Return the verdict of a reconciliation."""
    if value is None:
        return Badge("Not checked", "grey")
    return Badge("Holds", "green") if value else Badge("Does not hold", "red")


def is_green(value: bool | None) -> Badge:
    """Return the state of a criterion."""
    if value is None:
        return Badge("Not known", "grey")
    return Badge("Green", "green") if value else Badge("Not green", "red")


def severity(value: str) -> Badge:
    """Return what a rule does to a row that breaks it."""
    return Badge("Reject", "red") if value == "reject" else Badge("Flag", "amber")


def route_card(row: Mapping[str, Any]) -> tuple[str, Badge, str]:
    """Return the card of a context: its route, what that means, and who changed it when and why."""
    kind, meaning = ROUTES.get(row["route"], ("grey", ""))
    changed = ""
    if row["changed_at"] is not None:
        changed = f". {formats.moment(row['changed_at'])} UTC by {row['changed_by']}: {row['reason']}"
    return formats.words(row["context"]), Badge(row["route"], kind), f"{meaning}{changed}"
