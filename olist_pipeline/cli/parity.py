"""`olist parity`: the stored verdicts, a comparison of any two relations, and approvals of differences.

What belongs here: the commands and what they ask of the stores. What does not: comparing, and how a report looks
(`parity_view`, `parity.html`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console

from olist_pipeline.cli.names import check_name
from olist_pipeline.cli.output import JSON, print_json, print_rows
from olist_pipeline.cli.parity_view import print_comparison, print_report
from olist_pipeline.cli.visible import visible
from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away, writing
from olist_pipeline.parity.stored import complete_report
from olist_pipeline.settings import Settings, current_user
from olist_pipeline.stores import approvals, verdicts
from olist_pipeline.stores.schema import reading_url, ready_url
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.tablediff.contract import Contract, Tolerance, fold
from olist_pipeline.tablediff.names import split_assignment, split_names


class ShowByDefault(click.Group):
    """A group whose first word may be a table: `olist parity TABLE` is `olist parity show TABLE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        if not args or (args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx)):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ShowByDefault)
def parity() -> None:
    """Show how old and new compare, compare any two relations, or approve a difference.

    `olist parity [TABLE]` is short for `olist parity show [TABLE]`.

    \b
    Any two relations, without a project around them (`olist parity show --help`):
      olist parity --old old.csv --new new.parquet --key id
          --tolerance price=0.01 --exclude updated_at="set by the clock"
    """


@parity.command()
@click.argument("table", required=False)
@click.option("--old", help="Compare this relation: FILE.parquet, FILE.csv, a folder, or FILE.duckdb:SCHEMA.TABLE.")
@click.option("--new", help="... with this one.")
@click.option("--key", "keys", multiple=True, help="The columns that identify a row, by commas.")
@click.option("--tolerance", "tolerances", multiple=True, metavar="COLUMN=BOUND", help="May differ by as much.")
@click.option(
    "--exclude", "exclusions", multiple=True, metavar="COLUMN=REASON", help="Leave a column out, and say why."
)
@click.option("--where", help="Compare only the rows for which this SQL condition holds.")
@click.option("--dialect", help="How CSV files are written: delimiter=, quote=, encoding=, with blanks between them.")
@click.option("--html", type=click.Path(path_type=Path), help="Write what is shown to this file, for a browser.")
@JSON
def show(
    table: str | None,
    old: str | None,
    new: str | None,
    keys: tuple[str, ...],
    tolerances: tuple[str, ...],
    exclusions: tuple[str, ...],
    where: str | None,
    dialect: str | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Show the stored verdicts, of all tables or in full of TABLE, or compare any two relations.

    Exits with 1 when a verdict is red, or the two relations are not identical.

    \b
    Any two relations are compared without a project around them:
      olist parity --old old.csv --new new.parquet --key id
      olist parity --old a.duckdb:main.rides --new b.duckdb:rides --key id,day
          --tolerance price=0.01 --exclude updated_at="set by the clock"

    A relation is a file (.parquet, .csv, .tsv; .csv.gz), a folder whose files are the parts of a table, or a table of a
    DuckDB file. Names with a comma, '=' or dot in them stand in double quotes, as in SQL: --key '"a,b",c'.

    A CSV file is UTF-8, with commas and double quotes (tabs in a .tsv), and a header; nothing is guessed. For another
    one: --dialect "delimiter=; quote=' encoding=latin-1" (words: tab, semicolon, pipe, space; quote=none). An empty
    cell is NULL, and the empty text when it is quoted. Beside a column with a type, a cell is compared as the value
    that it exactly is: 1.10 is 1.1, and 007 is not 7.
    """
    if any(given is not None for given in (old, new, where, dialect)) or keys or tolerances or exclusions:
        if table is not None:
            raise OlistError(f"{table} names a stored comparison, the options are for any two relations; give either.")
        contract = _contract(new, keys, tolerances, exclusions)
        _compare_any(old, new, contract, where, dialect or "", html, as_json)
    else:
        _show_stored(table, html, as_json)


@parity.command()
@click.argument("table")
@click.option("--column", required=True, help="The column whose cells may differ.")
@click.option("--reason", required=True, help="Why the difference may stand.")
@click.option(
    "--until",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The last day of the approval.",
)
@JSON
def approve(table: str, column: str, reason: str, until: datetime, as_json: bool) -> None:
    """Approve that the cells of one column of TABLE differ from the replay, until a day.

    The next comparison then gives `approved` where nothing else differs. Rows, keys and types cannot be approved.
    """
    url = ready_url(Settings.from_env())
    _check_column(url, table, column)
    approval = approvals.approve(
        url,
        table=table,
        column=column,
        reason=reason,
        until=until.date(),
        approved_by=current_user(),
        today=date.today(),
    )
    if as_json:
        print_json(approval.to_dict())
    else:
        click.echo(f"{approval.sentence()}\nIt counts from the next comparison on: `olist run --force`.")


@parity.command("approvals")
@JSON
def approvals_command(as_json: bool) -> None:
    """List all approvals, with their reasons and whether they still hold."""
    today = date.today()
    given = approvals.all_approvals(reading_url(Settings.from_env()))
    rows = [{**approval.to_dict(), "state": approval.state(today)} for approval in given]
    if as_json:
        print_json(rows)
    else:
        columns = ["approval_id", "table", "column", "state", "until", "approved_by", "reason"]
        print_rows(Console(), "Approvals of differences", rows, columns)


@parity.command()
@click.argument("approval", type=int)
def revoke(approval: int) -> None:
    """End an approval now, by its number."""
    approvals.revoke(ready_url(Settings.from_env()), approval, revoked_by=current_user())
    click.echo(f"Approval {approval} is revoked; the next comparison does without it.")


def _show_stored(table: str | None, html: Path | None, as_json: bool) -> None:
    settings = Settings.from_env()
    url = reading_url(settings)
    stored = _stored(url)
    check_name("compared table", table, stored)
    chosen = [stored[table]] if table else list(stored.values())
    if html is not None:
        from olist_pipeline.parity.html import html_report
        from olist_pipeline.serving.progress import scorecard

        progress = scorecard(settings, url) if table is None else None
        text = html_report(chosen, approvals.all_approvals(url), date.today(), progress)
        with given_away(), writing(html):
            html.write_text(text, "utf-8")
        click.echo(f"{html} holds the verdicts on {len(chosen)} table{'s' * (len(chosen) != 1)}.", err=as_json)
    if as_json:
        print_json([verdict.report for verdict in chosen])
    elif table:
        print_report(Console(), complete_report(chosen[0].report))
    elif html is None:
        print_rows(Console(), "Parity, old against new", verdicts.parity_rows(url), ["table", "verdict", "why"])
        _print_approvals(url)
    sys.exit(0 if all(verdict.is_green for verdict in chosen) else 1)


def _stored(url: str) -> dict[str, Verdict]:
    """Return the latest verdicts by table; raises OlistError before the first comparison."""
    stored = {verdict.table: verdict for verdict in verdicts.latest(url, "parity").values()}
    if not stored:
        raise OlistError("No table has been compared yet; run `olist run`.")
    return stored


def _print_approvals(url: str) -> None:
    for approval in approvals.active(url, date.today()):
        click.secho(visible(approval.sentence()), fg="yellow")


def _check_column(url: str, table: str, column: str) -> None:
    """Raise OlistError for a table or a column that the comparisons do not know."""
    stored = _stored(url)
    check_name("compared table", table, stored)
    known = [compared["column"] for compared in stored[table].report["replay_and_new"]["columns"]]
    if fold(column) not in map(fold, known):
        raise OlistError(f"{table} has no compared column {column}; it has: {', '.join(known)}.")


def _contract(
    table: str | None, keys: Sequence[str], tolerances: Sequence[str], exclusions: Sequence[str]
) -> Contract | None:
    """Return the contract that the options say, None without a key."""
    columns = tuple(name for text in keys for name in split_names(text, ","))
    bounds = {column: Tolerance(absolute=bound) for column, bound in _once("--tolerance", map(_tolerance, tolerances))}
    reasons = dict(_once("--exclude", map(_exclusion, exclusions)))
    return Contract(str(table), columns, bounds, reasons) if columns else None


def _once(option: str, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield names with what is said of them; raises OlistError where something else is said of one, too."""
    seen: set[str] = set()
    for name, value in pairs:
        if fold(name) in seen:
            raise OlistError(f"{option} names the column {name} more than once; keep one.")
        seen.add(fold(name))
        yield name, value


def _compare_any(
    old: str | None,
    new: str | None,
    contract: Contract | None,
    where: str | None,
    dialect: str,
    html: Path | None,
    as_json: bool,
) -> None:
    # Databases and templates take longer to import than what is stored takes to show.
    from olist_pipeline.parity.html import comparison_page
    from olist_pipeline.tablediff.csv_file import parse_options
    from olist_pipeline.tablediff.sources import compare_sources

    options = parse_options(dialect)
    if not (old and new and contract):
        raise OlistError("A comparison needs --old, --new and --key, e.g. --old a.parquet --new b.parquet --key id.")
    comparison = compare_sources(old, new, contract, where=where, options=options)
    if html is not None:
        with given_away(), writing(html):
            html.write_text(comparison_page(comparison, old), "utf-8")
    if as_json:
        print_json(comparison.to_dict())
    else:
        verdict, *findings = comparison.sentences()
        click.secho(visible(verdict), fg="green" if comparison.identical else "red")
        if not comparison.identical:
            print_comparison(Console(), comparison.to_dict())
        for line in findings:
            click.echo(visible(line))
    sys.exit(0 if comparison.identical else 1)


def _tolerance(text: str) -> tuple[str, str]:
    found = split_assignment(text)
    if found is None:
        raise OlistError(f"--tolerance {text} must look like COLUMN=BOUND, e.g. price=0.01.")
    return found


def _exclusion(text: str) -> tuple[str, str]:
    column, reason = split_assignment(text) or ("", "")
    if not reason:
        raise OlistError(f'--exclude {text} must look like COLUMN=REASON, e.g. updated_at="set by the clock".')
    return column, reason
