"""`olist migration`: the file that describes a migration, written for a first time, and checked.

What belongs here: these commands, and what they tell. What does not: the file itself (`migration`), and the guesses
(`drafts`).
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote

import click
from rich.console import Console

from olist_pipeline.cli.groups import Group
from olist_pipeline.cli.output import JSON, inert, print_json
from olist_pipeline.cli.variables import variables_of
from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away, new_file, writing
from olist_pipeline.landing.fetched import fetch_landing
from olist_pipeline.migration.load import load_migration
from olist_pipeline.settings import Settings


@click.group(cls=Group)
def migration() -> None:
    """The migration file: the old dbt project, the new one, and the tables that they share."""


@migration.command()
@JSON
@click.option("--twice", is_flag=True, help="Run old twice, and name the columns that differ: made by clock or chance.")
def check(as_json: bool, twice: bool) -> None:
    """Say whether the file fits its projects, what is not migrated, and what replay cannot prove."""
    settings = Settings.from_env()
    from olist_pipeline.orchestration.migration_check import checked, columns_that_change

    found = checked(settings)
    if twice:
        try:
            fetch_landing(settings)
            columns_that_change(settings, found)
        except OlistError as error:
            found.problems.append(str(error).rstrip("."))
    if as_json:
        print_json(asdict(found))
    else:
        console = Console()
        console.print(inert(f"{settings.migration}:"), highlight=False, soft_wrap=True)
        for line in found.lines():
            console.print(inert(line), highlight=False, soft_wrap=True)
    if found.problems:
        problems = "; ".join(problem.rstrip(".?") for problem in found.problems)
        raise OlistError(f"{settings.migration} does not fit: {problems}.")


@migration.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("migration.yml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--new", default="new", show_default=True, help="The folder of the new dbt project, from the file's.")
@click.option("--vars", "given", help="Variables that the project needs, as dbt takes them: '{key: value}' (YAML).")
@click.option("--run/--no-run", default=True, help="Run old once, if landing is there, to find keys in its rows.")
def init(path: Path, out: Path, new: str, given: str | None, run: bool) -> None:
    """Write a first migration file for the dbt project at PATH; a file that is there stays as it is.

    dbt parses the project, which runs its Jinja: give it no project of strangers. It is run, too, where OLIST_DATA_DIR
    has its landing files; nothing is written into it.

    \b
      OLIST_DATA_DIR=landing olist migration init shop --out migration.yml
    """
    if out.exists():
        raise OlistError(f"{out} is there already; remove it, or name another with --out.")
    variables = variables_of(given)
    if not Path(os.environ.get("OLIST_MIGRATION") or ".").exists():
        # The file that is to be written: what comes now would read its contexts.
        del os.environ["OLIST_MIGRATION"]
    from olist_pipeline.drafts.migration_file import CONTEXTS, NO_CONTEXTS
    from olist_pipeline.drafts.writing import write_first_file

    settings = replace(Settings.from_env(), migration=out.absolute())
    if run:
        fetch_landing(settings)
    with given_away(), new_file(out.absolute()), writing(out):
        first = write_first_file(settings, path.resolve(), new, variables, is_run=run)
        load_migration.cache_clear()
        out.write_text(first.text, "utf-8")
        if not (module := out.parent / f"{CONTEXTS}.py").exists() and not module.with_suffix("").exists():
            module.write_text(NO_CONTEXTS, "utf-8")
        load_migration(out.absolute())
    for note in first.notes:
        click.echo(inert(note), err=True)
    click.echo(
        f"{out} is written: look it through, then `OLIST_MIGRATION={quote(str(out.resolve()))} olist migration check`."
    )
