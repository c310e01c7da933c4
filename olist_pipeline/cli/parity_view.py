"""How a comparison looks in a terminal: the verdict, what changes by rule, and old beside new.

What belongs here: rendering stored reports and comparisons (their JSON form). What does not: making them, and
the command (see `parity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from olist_pipeline.cli.output import COLOUR_OF, Fitted, inert
from olist_pipeline.tablediff.report import around_difference, shortened

ReportPart = Mapping[str, Any]
OLD_COLOUR, NEW_COLOUR = "red", "green"


def print_report(console: Console, report: ReportPart) -> None:
    """Print the stored report of one table (`TableParity.to_dict`)."""
    first, *rest = report["sentences"]
    colour = COLOUR_OF.get(report["verdict"], "default")
    console.print(f"[bold {colour}]{report['verdict']}[/]  {inert(first)}", highlight=False)
    if report["effects"]:
        _print_effects(console, report["effects"])
    shown = "old_and_new" if report["verdict"] == "explained" else "replay_and_new"
    if report["verdict"] != "identical":
        sides = ("old", "new") if shown == "old_and_new" else ("replay", "new")
        print_comparison(console, report[shown], sides)
    for approval in report["approvals"]:
        console.print(f"[yellow]approved[/]  {inert(_approval(approval))}", highlight=False)
    if report["verdict"] == "identical":
        for line in rest:
            console.print(inert(line), highlight=False)


def print_comparison(console: Console, comparison: ReportPart, sides: Sequence[str] = ("old", "new")) -> None:
    """Print a comparison (`Comparison.to_dict`): counts, schema, columns, and samples side by side."""
    console.print(_counts(comparison, sides))
    for difference in comparison["schema"]:
        old, new = difference["old"] or "-", difference["new"] or "-"
        said = f"schema: column {difference['column']} is {difference['kind']}: {old} -> {new}"
        console.print(inert(said), highlight=False)
    for name, reason in comparison["excluded"].items():
        console.print(inert(f"column {name} is not compared: {reason}"), highlight=False)
    differing = [column for column in comparison["columns"] if column["unequal"]]
    if differing:
        console.print(_columns(differing))
    if comparison["unequal_samples"]:
        console.print(_cells(comparison["unequal_samples"], sides))
    for side, name in zip(sides, ("old", "new"), strict=True):
        rows = comparison[f"only_in_{name}_samples"]
        if rows:
            console.print(_rows(f"Only in {side}", [row[name] for row in rows]))
    for title in ("duplicates", "null_keys"):
        for group in comparison[title]["samples"]:
            same = "the same" if group["identical"] else "other"
            console.print(
                f"{title.replace('_', ' ')}: {_key(group['key'])}: {group['old_rows']} rows in {sides[0]}, "
                f"{group['new_rows']} in {sides[1]}, {same} as a multiset",
                highlight=False,
            )


def _counts(comparison: ReportPart, sides: Sequence[str]) -> Table:
    table = Fitted("Rows")
    names = ("rows", "equal", "unequal", "only", "duplicate-keyed", "null-keyed")
    for name in ("", *names):
        table.add_column(name, justify="right" if name else "left")
    for side, key in zip(sides, ("old", "new"), strict=True):
        ledger = comparison["ledger"][key]
        counts = [ledger[name.replace("-", "_")] for name in names]
        table.add_row(side, *(f"{count:,}" for count in counts))
    return table


def _columns(columns: Sequence[ReportPart]) -> Table:
    table = Fitted("Columns that differ")
    for name in ("column", "cells", "largest", "most frequent change", "times", "for example"):
        table.add_column(name, justify="right" if name in ("cells", "largest", "times") else "left", overflow="fold")
    for column in columns:
        largest = (
            "" if column["largest"] is None else f"{column['largest']}{' s' if column['unit'] == 'seconds' else ''}"
        )
        for place, change in enumerate(column["changes"] or [None]):
            head = (inert(column["column"]), f"{column['unequal']:,}", largest) if not place else ("", "", "")
            cells = (_change(change), f"{change['count']:,}", _key(change["key"])) if change else ("", "", "")
            table.add_row(*head, *cells)
    return table


def _cells(samples: Sequence[ReportPart], sides: Sequence[str]) -> Table:
    """Return the unequal cells of sample rows, one a line, old beside new."""
    table = Fitted("Unequal rows, old beside new" if sides[0] == "old" else "Unequal rows, replay beside new")
    for name in ("key", "column", *sides):
        table.add_column(name, overflow="fold")
    for sample in samples:
        for place, column in enumerate(sample["unequal"]):
            key = _key(sample["key"]) if not place else ""
            table.add_row(key, inert(column), *_beside(sample["old"][column], sample["new"][column]))
    return table


def _rows(title: str, rows: Sequence[ReportPart]) -> Table:
    """Return whole rows as a table on its side: a line for each column."""
    table = Fitted(title)
    table.add_column("column")
    for _ in rows:
        table.add_column("", overflow="fold")
    for column in rows[0]:
        table.add_row(inert(column), *(_value(row[column]) for row in rows))
    return table


def _print_effects(console: Console, effects: ReportPart) -> None:
    if effects["by_rule"]:
        table = Fitted("What quarantine took away, by rule")
        measures = list(effects["by_rule"][0]["moved"])
        for name in ("rules", "gone", "come", "changed", *measures):
            table.add_column(name, justify="left" if name == "rules" else "right", overflow="fold")
        for effect in effects["by_rule"]:
            counts = (f"{effect[name]:,}" for name in ("gone", "come", "changed"))
            rules = inert(effect["rules"]) or "(moved with the rest)"
            table.add_row(rules, *counts, *(_number(effect["moved"][name]) for name in measures))
        console.print(table)
    if effects["totals"]:
        table = Fitted("What dashboards will see")
        for name in ("measure", "old", "new"):
            table.add_column(name, justify="left" if name == "measure" else "right")
        for name, (old, new) in effects["totals"].items():
            table.add_row(inert(name), _number(old), f"[yellow]{_number(new)}[/]" if old != new else _number(new))
        console.print(table)


def _number(value: float | str) -> str:
    """Return a number, or the exact text of one, with its thousands apart."""
    return f"{Decimal(str(value)):,}"


def _change(change: ReportPart) -> str:
    return " -> ".join(_beside(change["old"], change["new"]))


def _beside(old: str | None, new: str | None) -> tuple[str, str]:
    """Return two values in their colours."""
    before, after = around_difference(old, new)
    return f"[{OLD_COLOUR}]{_value(before)}[/]", f"[{NEW_COLOUR}]{_value(after)}[/]"


def _approval(approval: ReportPart) -> str:
    return (
        f"{approval['table']}.{approval['column']} until {approval['until']} by {approval['approved_by']}: "
        f"{approval['reason']}"
    )


def _key(key: ReportPart) -> str:
    return ", ".join(f"{inert(name)} = {_value(value)}" for name, value in key.items())


def _value(value: str | None) -> str:
    return "NULL" if value is None else inert(shortened(value))
