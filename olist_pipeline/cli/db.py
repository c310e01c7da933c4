"""`olist db`: the schema of the operational stores and of Dagster, and the roles that use it.

What belongs here: these commands, and telling what they did. What does not: versions (`stores.schema`) and rights
(`stores.roles`).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from olist_pipeline.cli.groups import Group
from olist_pipeline.cli.output import JSON, print_json
from olist_pipeline.cli.visible import visible
from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import home, schema
from olist_pipeline.stores import roles as database_roles
from olist_pipeline.stores.postgres import password_of, server_url


@click.group(cls=Group)
def db() -> None:
    """Bring the database to this program's version, see which it has and whose it is, and grant what roles need."""


@db.command()
@JSON
def migrate(as_json: bool) -> None:
    """Create the tables of this program and of Dagster, or bring them to this program's version.

    Run it as the role that owns them, once after each update of the program. It may run again, and at the same time
    as another one. The embedded server needs it never.
    """
    from olist_pipeline.orchestration.internals.storage import migrate_storage, refuse_others

    url = server_url(Settings.from_env())
    refuse_others(url)  # before anything is made, in somebody else's database perhaps
    done = {"schema": schema.migrate(url), "dagster": migrate_storage(url)}
    if as_json:
        print_json({name: {"before": before, "after": after} for name, (before, after) in done.items()})
        return
    for name, (before, after) in done.items():
        click.echo(f"{name}: {'already ' if before == after else f'{before} -> ' if before else ''}{after}")


@db.command()
@JSON
def status(as_json: bool) -> None:
    """Show the versions of the database and of this program; exit code 0 only where they agree."""
    from olist_pipeline.orchestration.internals.storage_version import refuse_unknown, storage_versions

    url = server_url(Settings.from_env())
    state = schema.state(url)
    dagster, needed = storage_versions(url)
    owner = home.owner(url) if state.version == schema.HEAD else None
    report: dict[str, Any] = {
        "database": state.database,
        "role": state.role,
        "server_version": state.server,
        "schema": {"database": state.version, "program": schema.HEAD, "pending": state.pending},
        "dagster": {"database": dagster, "program": needed},
        "home": asdict(owner) if owner else None,
    }
    if as_json:
        print_json(report)
    else:
        click.echo(f"database {state.database} of PostgreSQL {state.server}, as {state.role}")
        for name in ("schema", "dagster"):
            versions = report[name]
            click.echo(f"{name}: {versions['database'] or 'none'} (the program's: {versions['program']})")
        click.echo(
            visible(f"home: {owner.place}, since {owner.since:%Y-%m-%d %H:%M} UTC" if owner else "home: none yet")
        )
        for revision in state.pending:
            click.echo(f"pending: {revision}")
    if state.objection:
        raise OlistError(state.objection)
    refuse_unknown(dagster)
    if dagster != needed:
        has = f"Dagster's tables have version {dagster}" if dagster else "Dagster's tables are not there"
        raise OlistError(f"{has}, Dagster needs {needed}: run `olist db migrate` as their owner.")


@db.command()
def adopt() -> None:
    """Let the database belong to this OLIST_HOME, which takes the place of the one that it belongs to.

    That one is refused from then on. A home that was moved, copied or restored needs it not: it is the same home.
    """
    settings = Settings.from_env()
    former = home.adopt(settings, schema.reading_url(settings))
    click.echo(visible(f"The database belongs to {settings.home}" + (f", not to {former.place}." if former else ".")))


@db.command()
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements, for psql.")
@click.option("--apply", "is_applied", is_flag=True, help="Run them, as the role of OLIST_POSTGRES_URL.")
@click.option("--runtime", default="olist_runtime", show_default=True, help="Runs the pipeline and Dagster.")
@click.option("--analyst", default="olist_analyst", show_default=True, help="Reads the operational tables.")
@click.option(
    "--runtime-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --apply: the file of the password that the runtime role gets.",
)
def roles(as_sql: bool, is_applied: bool, runtime: str, analyst: str, runtime_password_file: Path | None) -> None:
    """Print or run the statements that create the roles and grant what each needs; they may run again."""
    if as_sql == is_applied:
        raise click.UsageError("Give either --sql or --apply.")
    if as_sql and runtime_password_file:
        raise click.UsageError("--runtime-password-file goes with --apply: what is printed holds no password.")
    if as_sql:
        click.echo(database_roles.script(runtime=runtime, analyst=analyst), nl=False)
        return
    password = password_of(runtime_password_file, "--runtime-password-file") if runtime_password_file else None
    url = schema.reading_url(Settings.from_env())  # another version's tables need other rights
    database_roles.apply(url, runtime=runtime, analyst=analyst, password=password)
    click.echo(f"{runtime} may run the pipeline, {analyst} may read.")
