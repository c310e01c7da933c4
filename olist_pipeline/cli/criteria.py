"""`olist criteria`: whether the migration is complete, with the evidence, and its timeline.

What belongs here: the command and how it prints. What does not: what makes a criterion green (`serving.criteria`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console

from olist_pipeline.cli.output import JSON, print_json, print_rows, tell_unrecorded
from olist_pipeline.cli.visible import visible
from olist_pipeline.serving import criteria as scoring
from olist_pipeline.serving import journal
from olist_pipeline.serving.criteria import Criterion
from olist_pipeline.serving.timeline import MigrationEvent, timeline
from olist_pipeline.settings import Settings
from olist_pipeline.stores.schema import ready_url

STATES = {True: "green", False: "not green", None: "not known"}
LATEST = 10
"""Things that happened, of which the table shows so many; JSON has all."""


@click.command()
@click.option("--evidence", is_flag=True, help="Print the evidence of each criterion, too.")
@JSON
def criteria(evidence: bool, as_json: bool) -> None:
    """Show the success criteria of the migration: green or not, since when, and what happened so far.

    Exits with 1 while a criterion is not green.
    """
    settings = Settings.from_env()
    url = ready_url(settings)
    unrecorded = journal.unrecorded(settings.serving, url)
    assessed = scoring.criteria(settings, url, now=datetime.now(UTC))
    happened = timeline(settings.serving, url)
    if as_json:
        print_json(
            {
                "unrecorded": unrecorded,
                "criteria": [one.to_dict() for one in assessed],
                "timeline": [event.to_dict() for event in happened],
            }
        )
    else:
        console = Console()
        tell_unrecorded(console, unrecorded)
        _print(console, assessed, happened, with_evidence=evidence)
    sys.exit(0 if all(one.is_green for one in assessed) else 1)


def _print(
    console: Console, assessed: Sequence[Criterion], happened: Sequence[MigrationEvent], *, with_evidence: bool
) -> None:
    shown = [
        {
            "criterion": one.name,
            "context": one.context,
            "state": STATES[one.is_green],
            "value": one.value,
            "since (UTC)": f"{one.since:%Y-%m-%d %H:%M}" if one.since else "",
        }
        for one in assessed
    ]
    print_rows(console, "Criteria", shown, ["criterion", "context", "state", "value", "since (UTC)"])
    green = sum(bool(one.is_green) for one in assessed)
    console.print(f"{green} of {len(assessed)} are green; --evidence says why.", highlight=False)
    if with_evidence:
        for one in assessed:
            name = f"{one.name} ({one.context})" if one.context else one.name
            console.print(visible(f"  {name}: {one.target}; {one.evidence}"), highlight=False, markup=False)
    latest = [
        {
            "at (UTC)": f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M}",
            "what": f"{one.what} ({one.context})" if one.context else one.what,
            "who": one.by,
            "why": one.why,
        }
        for one in happened[:LATEST]
    ]
    print_rows(
        console, f"Timeline, the latest {len(latest)} of {len(happened):,}", latest, ["at (UTC)", "what", "who", "why"]
    )
