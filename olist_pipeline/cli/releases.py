"""`olist releases` and `olist release verify`: what is kept, what is served, and whether it still is what it was.

What belongs here: these commands. What does not: making releases, and switching between them (`cutover`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import duckdb
from rich.console import Console

from olist_pipeline.cli.groups import Group
from olist_pipeline.cli.output import JSON, print_json, print_rows
from olist_pipeline.cli.visible import visible
from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import DATABASE, MANIFEST, Release, no_release
from olist_pipeline.serving.data_files import damage, data_file
from olist_pipeline.serving.pruning import Size, releases_with, sizes
from olist_pipeline.serving.release import (
    current_number,
    find_release,
    kept_numbers,
    release_folder,
)
from olist_pipeline.serving.release_checks import release_problems, unchecked
from olist_pipeline.settings import Settings


@click.command()
@JSON
def releases(as_json: bool) -> None:
    """Show the kept releases: which is served, what it is made of, what each context is routed to in it, and its size.

    In brackets: the MB that no other release shares, which go with it.
    """
    serving = Settings.from_env().serving
    kept, served, size = set(kept_numbers(serving)), current_number(serving), sizes(serving)
    rows = [_row(find_release(serving, number), served, size[number]) for number in reversed(size)]
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo(visible(str(no_release(serving))))
    else:
        columns = ["no.", "as of", "made (UTC)", "of", "on new", "rows", "MB (alone)"]
        shown = [
            {
                **row,
                "no.": f"{row['release']} {'served' if row['served'] else ''}".strip(),
                "as of": row["as_of"],
                "made (UTC)": row["made_at"][2:16].replace("T", " "),
                "of": row["from"].removeprefix("release ").replace("warehouse", ""),
                "MB (alone)": f"{row['bytes'] / 1e6:,.1f} ({row['bytes_alone'] / 1e6:,.1f})",
            }
            for row in rows
        ]
        print_rows(Console(), "Releases (of: the one whose data it has under other routes)", shown, columns)
    # One that is published, or removed, meanwhile is not damaged.
    if damaged := [number for number in kept_numbers(serving) if number in kept - size.keys()]:
        raise OlistError(_unreadable(serving, damaged, served))


def _unreadable(serving: Path, damaged: list[int], served: int | None) -> str:
    folders = ", ".join(release_folder(serving, number).name for number in damaged)
    remedy = "`olist run --force` makes another one" if served in damaged else "remove it"
    return f"What is in {serving / 'releases'} under {folders} has no readable {MANIFEST}; {remedy}."


@click.group(cls=Group)
def release() -> None:
    """Look at one release."""


@release.command()
@click.argument("number", type=int)
@JSON
def verify(number: int, as_json: bool) -> None:
    """Check that release NUMBER is what its manifest says: rows, keys, and every query of the dashboards.

    It reads every row, so it takes seconds, and more with the number of orders. Exits with 1 when it is not.
    """
    serving = Settings.from_env().serving
    found = find_release(serving, number)
    problems = _problems(serving, found)
    if as_json:
        print_json({"release": number, "holds": not problems, "problems": problems})
    elif problems:
        click.echo("\n".join(f"{problem}." for problem in problems))
    else:
        rows = sum(table.rows for table in found.tables.values())
        click.echo(f"Release {number} is what it was when it was published: {len(found.tables)} tables, {rows:,} rows.")
    sys.exit(1 if problems else 0)


def _problems(serving: Path, found: Release) -> list[str]:
    database = release_folder(serving, found.number) / DATABASE
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            problems = release_problems(connection, found)
            spoilt = damage(connection, serving, found) if problems else {}
    except duckdb.Error as error:
        find_release(serving, found.number)  # it may have been removed meanwhile
        raise OlistError(f"{database} cannot be read: {str(error).splitlines()[0]}.") from error
    return [*problems, *(_damaged(serving, part, tables) for part, tables in spoilt.items()), *unchecked()]


def _damaged(serving: Path, part: str, tables: list[str]) -> str:
    path, sharing = data_file(serving, part), [str(number) for number in releases_with(serving, part)]
    return (
        f"{path} of {', '.join(tables)} is {'damaged' if path.exists() else 'missing'}, which releases "
        f"{', '.join(sharing)} read; `olist run --force` writes it again while the warehouse has its rows"
    )


def _row(found: Release, served: int | None, size: Size) -> dict[str, Any]:
    on_new = [context for context, route in found.routes.items() if route in ("new", "retired")]
    return {
        "release": found.number,
        "served": "served" if found.number == served else "",
        "as_of": found.as_of,
        "made_at": found.made_at,
        "from": f"release {found.based_on}" if found.based_on else "warehouse",
        "on new": ", ".join(on_new) or "none",
        "tables": len(found.tables),
        "rows": sum(table.rows for table in found.tables.values()),
        "bytes": size.total,
        "bytes_alone": size.alone,
        "unchecked": found.unchecked,
        "run": found.run_id,
        "routes": dict(found.routes),
    }
