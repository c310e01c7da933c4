"""`olist rules`: every rule and derivation, from the rulebooks themselves.

What belongs here: the command, its filters and how entries are printed. What does not: reading the rulebooks
(`rule_entries`), and the page of the documentation (`rules_page`).
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import Any

import click

from olist_pipeline.cli.output import JSON, print_json
from olist_pipeline.cli.rule_entries import RuleEntry, all_entries
from olist_pipeline.cli.rules_page import page
from olist_pipeline.errors import OlistError
from olist_pipeline.near import unknown
from olist_pipeline.registry import CONTEXTS


@click.command()
@click.option("--context", type=click.Choice(list(CONTEXTS)), help="Only the rulebooks of this context.")
@click.option("--code", help="Only what has this code or name, e.g. ORDER_WITHOUT_ITEMS or revenue.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Write the page docs/business_rules.md.")
@JSON
def rules(context: str | None, code: str | None, as_markdown: bool, as_json: bool) -> None:
    """Show every rule and derivation: what it says, what it replaces, where it stands and where it is tested."""
    entries = all_entries()
    if as_markdown:
        if context or code or as_json:
            raise OlistError("--markdown writes the whole page; leave out --context, --code and --json.")
        click.echo(page(entries), nl=False)
        return
    chosen = [
        entry for entry in entries if context in (None, entry.context) and (code is None or entry.is_called(code))
    ]
    if not chosen and code:
        names = {entry.name for entry in entries if context in (None, entry.context)}
        raise unknown(f"rule or derivation{f' of {context}' if context else ''}", code, names)
    if as_json:
        print_json([_as_row(entry) for entry in chosen])
    elif not chosen:
        click.echo(f"{context} has no rules and no derivations yet.")
    else:
        _print(chosen)


def _as_row(entry: RuleEntry) -> dict[str, Any]:
    return {name: value for name, value in asdict(entry).items() if name != "tested_in" or value is not None}


def _print(entries: list[RuleEntry]) -> None:
    for heading, group in groupby(entries, _heading):
        click.secho(heading, bold=True)
        for entry in group:
            kind = f"{entry.kind}, {entry.severity}" if entry.severity else str(entry.kind)
            click.echo(f"  {click.style(entry.name, fg='cyan')}  ({kind})")
            click.echo(f"      {entry.statement}")
            for label, value in _lines(entry):
                click.echo(f"      {label:<9} {value}")
        click.echo()


def _heading(entry: RuleEntry) -> str:
    if entry.table is None:
        return f"every context: {entry.subject}"
    return f"{entry.context}: {entry.subject} (table {entry.table})"


def _lines(entry: RuleEntry) -> list[tuple[str, str]]:
    """Return what is known of an entry besides its statement, by label."""
    known = {
        "constants": "; ".join(f"{name} = {value}" for name, value in entry.constants.items()),
        "replaces": ", ".join(entry.replaces),
        "defined": entry.defined_in,
        "tested": ", ".join(entry.tested_in or ()),
    }
    return [(label, value) for label, value in known.items() if value]
