"""`olist parity`: the stored verdicts, or a comparison of any two relations.

What belongs here: the command's two ways of asking, and printing the answer. What does not: comparing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from rich.console import Console

from olist_pipeline.cli.output import JSON, print_json, print_rows
from olist_pipeline.cli.summary import verdict_rows
from olist_pipeline.errors import OlistError
from olist_pipeline.parity.contract import Contract, Tolerance
from olist_pipeline.parity.sources import compare_sources
from olist_pipeline.settings import Settings
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.postgres import ready_url


@click.command()
@click.argument("table", required=False)
@click.option("--old", help="Compare this relation: FILE.parquet, FILE.csv, a folder, or FILE.duckdb:SCHEMA.TABLE.")
@click.option("--new", help="... with this one.")
@click.option("--key", help="The columns that identify a row, by commas.")
@click.option("--tolerance", "tolerances", multiple=True, metavar="COLUMN=BOUND", help="May differ by as much.")
@click.option("--where", help="Compare only the rows for which this SQL condition holds.")
@JSON
def parity(
    table: str | None,
    old: str | None,
    new: str | None,
    key: str | None,
    tolerances: tuple[str, ...],
    where: str | None,
    as_json: bool,
) -> None:
    """Show the stored verdicts, of all tables or in full of TABLE, or compare any two relations.

    Exits with 1 when a verdict is red, or the two relations are not identical.
    """
    if old or new:
        _compare_any(old, new, key, tolerances, where, as_json)
    else:
        _show_stored(table, as_json)


def _show_stored(table: str | None, as_json: bool) -> None:
    url = ready_url(Settings.from_env())
    stored = {verdict.table: verdict for verdict in verdicts.latest(url, "parity").values()}
    if not stored:
        raise OlistError("No table has been compared yet; run `olist run`.")
    if table is not None and table not in stored:
        raise OlistError(f"{table} has not been compared; compared are: {', '.join(sorted(stored))}.")
    chosen = [stored[table]] if table else list(stored.values())
    if as_json:
        print_json([verdict.report for verdict in chosen])
    elif table:
        _print_lines(chosen[0].report["sentences"])
    else:
        print_rows(Console(), "Parity, old against new", verdict_rows(url), ["table", "verdict", "why"])
    sys.exit(0 if all(verdict.is_green for verdict in chosen) else 1)


def _compare_any(
    old: str | None, new: str | None, key: str | None, tolerances: Sequence[str], where: str | None, as_json: bool
) -> None:
    if not (old and new and key):
        raise OlistError("A comparison needs --old, --new and --key, e.g. --old a.parquet --new b.parquet --key id.")
    columns = tuple(name.strip() for name in key.split(","))
    contract = Contract(new, columns, dict(map(_tolerance, tolerances)))
    comparison = compare_sources(old, new, contract, where=where)
    if as_json:
        print_json(comparison.to_dict())
    else:
        _print_lines(comparison.sentences())
    sys.exit(0 if comparison.identical else 1)


def _tolerance(text: str) -> tuple[str, Tolerance]:
    column, separator, bound = text.partition("=")
    if not separator:
        raise OlistError(f"--tolerance {text} must look like COLUMN=BOUND, e.g. price=0.01.")
    return column, Tolerance(absolute=bound)


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
