"""The root command and what all commands share: settings, errors, output.

What belongs here: the command group, and how errors become one sentence and an exit code. What does not: any
particular command.
"""

from __future__ import annotations

import sys

import click

from olist_pipeline.cli.audit import audit
from olist_pipeline.cli.data import data
from olist_pipeline.cli.dev import dev
from olist_pipeline.cli.parity import parity
from olist_pipeline.cli.reports import events, quarantine, status
from olist_pipeline.cli.rules import rules
from olist_pipeline.cli.run import run
from olist_pipeline.errors import OlistError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Move a dbt-only warehouse to Python validation + dbt, one bounded context at a time."""


for command in (run, dev, status, rules, parity, quarantine, events, audit, data):
    cli.add_command(command)


def main() -> None:
    """Run the command line; an error that a person can mend is one sentence and exit code 1."""
    try:
        cli(prog_name="olist")
    except OlistError as error:
        click.secho(f"olist: {error}", fg="red", err=True)
        sys.exit(1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        click.secho(f"olist: {error.strerror or error}{where}.", fg="red", err=True)
        sys.exit(1)
