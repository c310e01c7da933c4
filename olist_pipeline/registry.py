"""The registry of the bounded contexts that have moved into the pipeline, in the order of their migration.

What belongs here: finding the module that the migration file names, and what follows from its contexts. What does
not: anything about the inside of one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from olist_domain.kernel.events import DomainEvent
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.table import LONG_AGO, LandingTable, OtherFile
from olist_pipeline.migration.load import present_migration
from olist_pipeline.migration.model import Migration
from olist_pipeline.near import unknown
from olist_pipeline.troubles import place_of
from olist_pipeline.validation.context import Context, Imported, ValidationStep
from olist_pipeline.validation.table import Link


def contexts_of(migration: Migration) -> dict[str, Context]:
    """Return the contexts of the module that a migration file names, by name.

    It may be a module beside the file. Raises OlistError where it cannot be imported, or has no `CONTEXTS`.
    """
    if (beside := str(migration.path.parent)) not in sys.path:
        sys.path.append(beside)
    try:
        found = importlib.import_module(migration.contexts).CONTEXTS
    except OlistError as error:
        place = place_of(error)  # a declaration says itself what is wrong with it
        raise (OlistError(f"{str(error).rstrip('.')} ({place}).") if place else error) from None
    except Exception as error:
        # Whatever somebody's module raises while it is imported.
        said = str(error).partition("\n")[0].rstrip(".")
        why = f"the module {migration.contexts} cannot be used ({type(error).__name__}: {said}"
        place = place_of(error)
        where = f", {place}" if place else ""
        remedy = "mend it there" if place else "name one beside this file, or an installed one, with CONTEXTS = (...)"
        raise OlistError(f"{migration.path}: contexts: {why}{where}); {remedy}.") from error
    if not isinstance(found, tuple | list):
        where = f"{migration.path}: contexts: {migration.contexts}.CONTEXTS"
        raise OlistError(f"{where} must be a tuple; one context alone has a comma behind it: (SALES,).")
    if wrong := [one for one in found if not isinstance(one, Context)]:
        raise OlistError(f"{migration.path}: contexts: {migration.contexts}.CONTEXTS holds {wrong[0]!r}, no Context.")
    _refuse_what_does_not_fit(migration, found)
    return {context.name: context for context in found}


def _refuse_what_does_not_fit(migration: Migration, contexts: Sequence[Context]) -> None:
    """Raise OlistError for two of one name, for what says that it is of another context, and for names of nothing."""
    landing = [table.name for context in contexts for table in context.landing]
    staged = [table.asset for context in contexts for table in context.tables]
    steps = [step.name for context in contexts for step in context.steps]
    called = [context.name for context in contexts]
    for kind, names in (("", called), ("landing tables ", landing), ("staged tables ", staged), ("steps ", steps)):
        if twice := [name for name in names if names.count(name) > 1]:
            where = f"{migration.path}: contexts: two {kind}are called {twice[0]}"
            raise OlistError(f"{where}; call one of them otherwise.")
    for context in contexts:
        _refuse_others(context)
    for step in (step for context in contexts for step in context.steps):
        for kind, reads, known in (("landing", step.intake, landing), ("staged", step.published, staged)):
            for name in set(reads) - set(known):
                raise unknown(f"{kind} table (read by the step {step.name})", name, known)
    for link in (link for context in contexts for link in context.links):
        _refuse_link(link, {table.name: table.columns for context in contexts for table in context.landing}, staged)


def _refuse_others(context: Context) -> None:
    """Raise OlistError for a table or a rulebook that says it is of another context, and for rules of no table."""
    tables = [table.name for table in context.tables]
    said = [(f"landing table {table.name}", table.context) for table in context.landing]
    said += [(f"staged table {table.name}", table.context) for table in context.tables]
    said += [(f"rulebook of {book.table}", book.context) for book in context.rulebooks]
    for what, name in said:
        if name != context.name:
            wrong = f"The {what} is declared by the context {context.name}, and says that its context is {name!r}"
            raise OlistError(f"{wrong}; let both say the same.")
    for book in context.rulebooks:
        if book.table not in tables:
            raise unknown(f"staged table of {context.name} (of a rulebook)", book.table, tables)


def _refuse_link(link: Link, landing: Mapping[str, Sequence[str]], staged: Sequence[str]) -> None:
    """Raise OlistError for an id that no quarantined row could have: nothing would ever be traced by it."""
    if link.table and link.table not in landing:
        raise unknown(f"landing table (of the link {link.name})", link.table, landing)
    cells = landing[link.table] if link.table else [name for columns in landing.values() for name in columns]
    table, cell = link.through or ("", link.column)
    if table and table not in staged:
        raise unknown(f"staged table (through which the link {link.name} goes)", table, staged)
    if cell not in cells:
        raise unknown(f"column of {link.table or 'landing'} (of the link {link.name})", cell, set(cells))


CONTEXTS: dict[str, Context] = contexts_of(present_migration())

LANDING: dict[str, LandingTable] = {table.name: table for context in CONTEXTS.values() for table in context.landing}
"""The landing files of all contexts, by table."""

STEPS: tuple[ValidationStep, ...] = tuple(step for context in CONTEXTS.values() for step in context.steps)
"""The validation steps of all contexts."""

DATED: LandingTable | None = next((table for table in LANDING.values() if table.month_of), None)
"""The landing table whose last date is the day that the warehouse takes for today."""

FIRST_MONTH: date = min((table.since for table in LANDING.values() if table.month_of), default=LONG_AGO).replace(day=1)
"""The first month that any row may be of."""

LINKS: tuple[Link, ...] = tuple(link for context in CONTEXTS.values() for link in context.links)
"""The ids by which rows are traced to quarantined ones; where a key has several, the first one counts."""


def unvalidated(migration: Migration) -> list[OtherFile]:
    """Return the files that the old project reads and no context has taken over."""
    owned = {table.file for table in LANDING.values()}
    return [OtherFile(file) for file in migration.landing.files if file not in owned]


def event_types() -> set[type[DomainEvent]]:
    """Return the types of domain events that the contexts tell; it takes a second, for their steps are imported."""
    for step in STEPS:
        if isinstance(step.validate, Imported):
            step.validate.load()
    waiting, found = [DomainEvent], set[type[DomainEvent]]()
    while waiting:
        kinds = waiting.pop().__subclasses__()
        waiting += kinds
        found.update(kind for kind in kinds if not kind.__subclasses__())
    return found


def origins(staged: Iterable[str]) -> set[str]:
    """Return the tables whose quarantined rows may be missing in `staged` tables (`context/table`).

    They are those tables, the landing tables that they come from, and the same of all tables that they were
    validated beside.
    """
    behind = _behind(staged)
    return {asset.rpartition("/")[2] for asset in behind} | {name for step in behind.values() for name in step.intake}


def contexts_behind(staged: Iterable[str]) -> set[str]:
    """Return the contexts whose accepted rows `staged` tables (`context/table`) are made of, over all steps."""
    return {asset.partition("/")[0] for asset in _behind(staged)}


def _behind(staged: Iterable[str]) -> dict[str, ValidationStep]:
    """Return the steps that make `staged` tables and all tables that these are validated beside, by table."""
    made_by = {table.asset: step for step in STEPS for table in step.tables}
    waiting, found = list(staged), dict[str, ValidationStep]()
    while waiting:
        asset = waiting.pop()
        found[asset] = made_by[asset]
        waiting += [read for read in made_by[asset].published if read not in found]
    return found
