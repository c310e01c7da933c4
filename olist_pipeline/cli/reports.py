"""The reporting commands over the operational stores: `quarantine` and `events`.

What belongs here: reading the stores and printing what they say. What does not: changing anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import click
from rich.console import Console

from olist_domain.kernel.facts import scalars
from olist_domain.kernel.rules import Rule, Rulebook
from olist_pipeline.cli import streams
from olist_pipeline.cli.names import check_event, check_rule, check_table
from olist_pipeline.cli.output import JSON, print_json, print_rows
from olist_pipeline.cli.visible import json_text, visible
from olist_pipeline.intake.places import place_of
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.stores import events as event_store
from olist_pipeline.stores import quarantine as quarantine_store
from olist_pipeline.stores import tail
from olist_pipeline.stores.postgres import transaction
from olist_pipeline.stores.schema import reading_url

LIMIT = click.IntRange(1, 1_000_000)
PAUSE_SECONDS = 0.25
"""Between two looks at a store in which nothing new is."""


@click.command()
@click.option("--table", help="Only rows of this landing table.")
@click.option("--rule", help="Only rows that broke this rule.")
@click.option("--id", "aggregate_id", help="Only rows of this aggregate, e.g. an order id.")
@click.option("--limit", default=20, show_default=True, type=LIMIT, help="At most so many rows.")
@JSON
def quarantine(table: str | None, rule: str | None, aggregate_id: str | None, limit: int, as_json: bool) -> None:
    """Show quarantined rows with the rules they broke, where they stand in landing, and their cells."""
    check_table(table)
    check_rule(rule)
    settings = Settings.from_env()
    url = reading_url(settings)
    found = quarantine_store.find(url, table=table, rule=rule, aggregate_id=aggregate_id, limit=limit)
    places = (place_of(row["source_file"], row["source_row"]) for row in found)
    rows = [{**row, "part": file, "part_row": number} for row, (file, number) in zip(found, places, strict=True)]
    number = len(rows)
    if number == limit:
        number = quarantine_store.number_of(url, table=table, rule=rule, aggregate_id=aggregate_id)
    if _is_said(rows, number, as_json, _none("No row in quarantine", settings)):
        return
    shown = [
        {**row, "file": row["part"], "row": row["part_row"], "rules": ", ".join(row["rules"]), "cells": _cells(row)}
        for row in rows
    ]
    print_rows(Console(), f"Quarantine, {len(shown):,} of {number:,} rows", shown, ["file", "row", "rules", "cells"])


@click.command()
@click.option("--id", "aggregate_id", help="Only events of this aggregate, e.g. an order id.")
@click.option("--type", "event_type", help="Only events of this type, e.g. OrderApproved.")
@click.option("--limit", type=LIMIT, help="At most so many events: 20, and with --follow as many as come.")
@click.option("--follow", "is_followed", is_flag=True, help="Print what is appended from now on, until Ctrl+C.")
@click.option("--after", "place", help="With --follow: begin after this checkpoint; 0:0 is the beginning.")
@JSON
def events(
    aggregate_id: str | None,
    event_type: str | None,
    limit: int | None,
    is_followed: bool,
    place: str | None,
    as_json: bool,
) -> None:
    """Show domain events in the order in which they were recorded.

    With --follow and --json, each event is a line and has its checkpoint, after which another call goes on.
    """
    after = tail.checkpoint_of(place) if place is not None else None
    if after is not None and not is_followed:
        raise click.UsageError("--after goes with --follow.")
    settings = Settings.from_env()
    url = reading_url(settings)
    if is_followed:
        check_event(event_type)
        _follow(url, after, tail.Wanted(aggregate_id, event_type), limit, as_json=as_json)
        return
    most = limit or 20
    rows = event_store.find(url, aggregate_id=aggregate_id, event_type=event_type, limit=most)
    if not rows:
        check_event(event_type)
    number = len(rows)
    if number == most:
        number = event_store.number_of(url, aggregate_id=aggregate_id, event_type=event_type)
    if _is_said(rows, number, as_json, _none("No recorded event", settings)):
        return
    columns = ["occurred_at", "event_type", "aggregate_id", "version", "payload"]
    shown = [{**row, "payload": json.dumps(row["payload"], ensure_ascii=False)} for row in rows]
    print_rows(Console(), f"Domain events, {len(rows):,} of {number:,}", shown, columns)


def _follow(url: str, after: tail.Checkpoint | None, wanted: tail.Wanted, most: int | None, *, as_json: bool) -> None:
    """Print the wanted events after a place, from now on where it is None, until there were `most` or nobody reads."""
    with transaction(url) as connection:
        tail.require_own_numbers(connection)
        place = tail.present(connection) if after is None else after
        printed = 0
        while True:
            connection.rollback()
            part = tail.read(connection, place, wanted)
            place = part.end
            for event in part.events:
                click.echo(_json_line(event) if as_json else _line(event))
                printed += 1
                if printed == most or streams.is_unread():
                    return
            if part.is_last:
                connection.rollback()
                time.sleep(PAUSE_SECONDS)


def _json_line(event: dict[str, Any]) -> str:
    return json_text({**event, "checkpoint": str(event["checkpoint"])})


def _line(event: dict[str, Any]) -> str:
    """Return one line, which steers no terminal whatever the payload holds."""
    payload = json.dumps(event["payload"], ensure_ascii=False)
    said = f"{event['occurred_at']}  {event['event_type']}  {event['aggregate_id']}  {event['version']}  {payload}"
    return visible(said)


def _none(what: str, settings: Settings) -> str:
    """Return that there is none, and why where nothing was validated yet: OLIST_HOME may name another folder."""
    if settings.staging.exists():
        return f"{what} is like that."
    home = visible(str(settings.home))
    return f"{what} is like that, for nothing has run in {home} yet; `olist run`, or set OLIST_HOME to where it has."


def _is_said(rows: Sequence[Any], number: int, as_json: bool, none: str) -> bool:
    """Print rows as JSON, with how many there are beside it, or that there is none; return whether that is all."""
    if as_json:
        print_json(rows)
        if len(rows) < number:
            click.echo(f"{len(rows):,} of {number:,}: --limit prints more.", err=True)
    elif not rows:
        click.echo(none)
    return as_json or not rows


def _cells(row: dict[str, Any]) -> str:
    """Return the cells that a row's rules name; where they name none, its ids and the cells that these rules read."""
    payload: dict[str, Any] = row["payload"]
    named = [name for name in payload if any(rule.endswith(f"_{name.upper()}") for rule in row["rules"])]
    ids = LANDING[row["source_table"]].ids if row["source_table"] in LANDING else ()
    shown = named or [name for name in dict.fromkeys((*ids, *_read_by(row["rules"]))) if name in payload]
    cells = ((name, payload[name]) for name in shown or payload)
    return ", ".join(f"{name} is empty" if cell is None else f"{name}={cell!r}" for name, cell in cells)


def _read_by(codes: Sequence[str]) -> list[str]:
    """Return the names of the facts that rules read, by their codes."""
    books = [book for context in CONTEXTS.values() for book in context.rulebooks]
    return [name for book in books for rule in book.rules if rule.code in codes for name in _Reading(book).of(rule)]


class _Reading:
    """The facts of a rulebook, all of them unknown, which keep in mind which of them were read."""

    def __init__(self, book: Rulebook[Any]) -> None:
        self.facts = scalars(book.facts, dict.fromkeys(field.name for field in fields(book.facts)))
        self.read: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.read.append(name)
        return getattr(self.facts, name)

    def of(self, rule: Rule[Any]) -> list[str]:
        """Return what a rule reads."""
        rule.holds(self)
        return self.read
