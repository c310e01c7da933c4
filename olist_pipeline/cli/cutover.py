"""`olist cutover`, `rollback`, `retire` and `acknowledge`: what serving reads, switched by a person.

What belongs here: these commands, and telling what they did. What does not: the acts themselves (`serving`).
A rollback must be quick and need nothing that may be broken: what it does not use is imported where it is used.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import click

from olist_pipeline.cli.output import JSON, print_json
from olist_pipeline.errors import OlistError
from olist_pipeline.serving import journal, retirement, standby
from olist_pipeline.serving import rollback as rollbacks
from olist_pipeline.serving.cutover import rehearse
from olist_pipeline.serving.follow import Follower
from olist_pipeline.serving.switch import Switched
from olist_pipeline.settings import Settings, current_user
from olist_pipeline.stores.schema import ready_url

REASON = click.option("--reason", default="", help="Why; it is kept in the history.")


@click.command()
@click.argument("context")
@click.option("--to", type=click.Choice(["shadow", "new"]), default="new", show_default=True, help="The next route.")
@click.option("--force", is_flag=True, help="Overrule the gate; needs --reason, and both are kept in the history.")
@REASON
@JSON
def cutover(context: str, to: str, force: bool, reason: str, as_json: bool) -> None:
    """Serve CONTEXT from the new pipeline, from this moment on.

    Refused, with everything that is missing, unless parity and reconciliation are green on the data that is served, for
    as many runs in a row as OLIST_CUTOVER_STREAK says. A context that was rolled back is on old: --to shadow first.
    """
    settings = Settings.from_env()
    if to == "shadow":
        done = rehearse(settings, context, by=current_user(), reason=reason or "rehearsed again")
        _tell(settings, done, as_json)
        return
    from olist_pipeline.serving.gate import gated_cutover

    done = gated_cutover(settings, ready_url(settings), context, by=current_user(), reason=reason, force=force)
    _tell(settings, done, as_json)


@click.command()
@click.argument("context")
@click.option("--to", type=int, metavar="RELEASE", help="Point to this kept release, whatever else it takes back.")
@REASON
@JSON
def rollback(context: str, to: int | None, reason: str, as_json: bool) -> None:
    """Serve CONTEXT from the old pipeline again, from this moment on.

    It needs nothing but the serving folder: it works with the pipeline broken and PostgreSQL down, and brings its
    record to PostgreSQL later.
    """
    settings = Settings.from_env()
    follower = Follower(settings)
    try:
        done = _rolled_back(settings, context, reason or "rolled back by hand", to)
    except BaseException:
        follower.stay()
        raise
    _say(done, as_json)
    _say_record(settings, done, as_json, follower.go())


@click.command()
@click.argument("context")
@REASON
@JSON
def acknowledge(context: str, reason: str, as_json: bool) -> None:
    """Lift the block that an automatic rollback left on CONTEXT, with a reason."""
    settings = Settings.from_env()
    _tell(settings, rollbacks.acknowledge(settings, context, by=current_user(), reason=reason), as_json)


@click.command()
@click.argument("context")
@click.option("--undo", is_flag=True, help="Build the old and replay tables again, from the next run on.")
@REASON
@JSON
def retire(context: str, undo: bool, reason: str, as_json: bool) -> None:
    """Stop building the old and replay tables of CONTEXT, once all contexts have been on new for long enough."""
    settings = Settings.from_env()
    if undo:
        done = retirement.restore(settings, context, by=current_user(), reason=reason or "retirement undone")
    else:
        why = reason or "all contexts have been on new for long enough"
        done = retirement.retire(settings, context, by=current_user(), reason=why, now=datetime.now(UTC))
    _tell(settings, done, as_json)


def _rolled_back(settings: Settings, context: str, reason: str, to: int | None) -> Switched:
    """Roll back; where the journal is damaged, PostgreSQL has to be asked first after all."""
    try:
        return rollbacks.rollback(settings, context, by=current_user(), reason=reason, to=to)
    except journal.JournalDamaged:
        journal.mend(settings.serving, ready_url(settings))
        return rollbacks.rollback(settings, context, by=current_user(), reason=reason, to=to)


def _tell(settings: Settings, done: Switched, as_json: bool) -> None:
    """Say what was done, which has its effect already, then bring its record to PostgreSQL and prepare the way back."""
    _say(done, as_json)
    lacking = ""
    try:
        journal.bring_to_database(settings.serving, ready_url(settings))
    except OlistError as error:
        lacking = str(error)
    _say_record(settings, done, as_json, lacking)
    standby.prepare(settings.serving)


def _say(done: Switched, as_json: bool) -> None:
    # Whoever reads may go away, as `head` does: what is left to do is done all the same.
    with suppress(BrokenPipeError):
        for line in () if as_json else sentences(done):
            click.echo(line)


def _say_record(settings: Settings, done: Switched, as_json: bool, lacking: str) -> None:
    """Say why PostgreSQL lacks what was done, if it does; as JSON all of it, once that is known."""
    if as_json:
        with suppress(BrokenPipeError):
            print_json({**done.to_dict(), "recorded": not lacking})
    elif lacking:
        where = settings.serving / journal.JOURNAL
        click.secho(f"Kept in {where}, and brought to PostgreSQL by the next command: {lacking}", fg="yellow", err=True)


def sentences(done: Switched) -> list[str]:
    """Say in words what an act changed."""
    act = done.act
    lines = [
        f"{change.context}: {change.former} -> {change.route}"
        if change.former != change.route
        else f"{change.context} stays on {change.route}"
        for change in act.changes
    ]
    if act.action == "acknowledge":
        lines = [f"{change.context} is not blocked any more; it is on {change.route}." for change in act.changes]
    if done.release is not None and act.release is not None:
        tables = ", ".join(done.tables) or "the same sides"
        lines.append(f"Release {done.release.number} is served, as of {done.release.as_of}. Switched: {tables}.")
    lines += [
        f"{table} stays on old until {' and '.join(names)} {'is' if len(names) == 1 else 'are'} on new."
        for table, names in done.waiting.items()
    ]
    lines += [f"Note: {note}." for note in done.notes]
    lines += [f"Overruled: {objection}." for objection in act.overridden]
    if act.action in ("retire", "restore"):
        lines.append("The next `olist run` builds accordingly.")
    return lines
