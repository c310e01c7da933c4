"""`olist scaffold`: the draft of a context, from what the audit finds in the old SQL.

What belongs here: the command. What does not: the text of a draft (`drafts.scaffold`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

import click

from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away, writing
from olist_pipeline.near import nearest
from olist_pipeline.settings import Settings

SECONDS_A_FILE = 60.0
"""Where the columns of a file come from is looked for in all models before it, which takes its time."""


@click.command()
@click.argument("context")
@click.option(
    "--file", "files", multiple=True, help="A landing file of the context; may be repeated.  [default: the only one]"
)
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write to; else that of the migration file.")
def scaffold(context: str, files: tuple[str, ...], out: Path | None) -> None:
    """Write records, rules, derivations and tests of CONTEXT as drafts, with the SQL that they replace beside them.

    A file that is there stays as it is.

    \b
      olist --migration migration.yml scaffold riding --file rides.csv
    """
    from olist_pipeline.audit.audit import audit, by_context
    from olist_pipeline.audit.relations import unversioned
    from olist_pipeline.drafts.scaffold import files_of as drafts_of
    from olist_pipeline.landing.folder import files_of, has_landed, readable_landing
    from olist_pipeline.landing.table import OtherFile
    from olist_pipeline.migration.load import load_migration

    if not context.isidentifier() or iskeyword(context):
        raise OlistError(f"{context!r} cannot be the name of a Python package; name the context otherwise.")
    settings = Settings.from_env()
    migration = load_migration(settings.migration)
    beside = migration.path.parent
    if migration.is_olists and out is None:
        raise OlistError(
            f"{migration.path} is of this repository's own warehouse; name the file of yours "
            f"(`olist --migration FILE scaffold {context} ...`), or a folder for the drafts with --out."
        )
    if place := _module_elsewhere(context, (beside, out or beside)):
        raise OlistError(
            f"Python has a module {context} already ({place}), and would find it in place of yours; name the context "
            "otherwise."
        )
    known = tuple(migration.landing.files)
    files = files or known[:1] * (len(known) == 1)
    if not files:
        there = f"there are: {', '.join(known)}" if known else "the migration file names none yet"
        raise OlistError(f"Say which landing files {context} validates, each with --file ({there}).")
    named = [OtherFile(file) for file in files]
    landing = readable_landing(settings, named)
    if missing := [one.file for one in named if not has_landed(landing, one)]:
        raise OlistError(
            f"There is no {missing[0]} in {settings.landing}; set OLIST_DATA_DIR to the folder of landing."
        )
    found = audit(
        migration.old_folder,
        target=migration.old_target,
        variables=migration.old_variables,
        origins=True,
        seconds=SECONDS_A_FILE,
    )

    def context_of(model: str) -> str | None:
        return migration.context_of(model) or migration.context_of(unversioned(model))

    sources = {said.source: file for file, said in migration.landing.files.items() if said.source}
    entries = [
        entry
        for name, of_context in by_context(found).items()
        for entry in of_context
        if (context_of(entry.finding.model) or name) == context
    ]
    others = {context_of(entry.finding.model) or entry.context for entry in found.entries} | {*migration.models}
    if not entries and context not in others and (near := nearest(context, others)):
        raise OlistError(
            f"The old project has no context {context!r}, but {near}: name that one, or the models of {context} under "
            f"`models` in {migration.path}."
        )
    texts = drafts_of(context, entries, {one.file: files_of(landing, one)[0] for one in named}, sources)
    stay = _write(texts, out or beside)
    kept = [path.read_text("utf-8", errors="replace") for path in stay]
    if unwritten := [file for file in files if kept and not any(file in text for text in kept)]:
        raise OlistError(
            f"Nothing is written of {', '.join(unwritten)}: {stay[0]} is there already; draft it with --out into "
            "another folder, and take over what is new."
        )
    if entries:
        many = "s" * (len(entries) != 1)
        click.echo(f"{len(entries)} finding{many}; each draft raises Undecided until it is written.")
    else:
        click.echo(f"The audit has no finding of {context}; the contexts of old are: {', '.join(sorted(others))}.")


def _module_elsewhere(name: str, folders: Sequence[Path]) -> str:
    """Return where a module of this name is that Python finds before one in these folders; nothing if there is none."""
    if name in {*sys.stdlib_module_names, "__main__"}:
        return "its own library"
    spec = find_spec(name)
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec else []
    found = [Path(place).resolve() for place in places if place]
    if any(path.is_relative_to(folder.resolve()) for path in found for folder in folders):
        return ""
    return str(found[0]) if found else ""


def _write(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write the texts of files by their names in a folder; return those that were there, and stay as they are."""
    stay = []
    with given_away():
        for name, text in texts.items():
            path = folder / name
            if path.exists():
                click.echo(f"there already: {path}")
                stay.append(path)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with writing(path):
                path.write_text(text, "utf-8")
            click.echo(f"written: {path}")
    return stay
