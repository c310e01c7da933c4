"""Routing: from which side a table is served, and which sides may stand beside each other.

What belongs here: the two rules, over what a release says of its tables. What does not: routes themselves, and
finding out about tables (see `build`).

1. A table is served from new once every context that it needs is on new: its own, and those whose accepted rows it is
   made of, over all models and validation steps in between. A table of a retired context has no other side.
2. A dimension and a table that refers to it, or that it refers to, may come from different sides only while no
   reference is lost by it: every key that finds its row on its own side finds it on the other.

A reference between two facts may be lost when one of them is on new: the row that it led to is in quarantine. The
release counts such references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from olist_pipeline.release_manifest import NEW, OLD, Reference, Release, ReleasedTable, Route, Side
from olist_pipeline.stores.routes import SERVED_FROM_NEW


def served_schema(table: ReleasedTable, routes: Mapping[str, Route]) -> Side:
    """Return the schema that serving reads a table from."""
    if not table.is_paired:
        return OLD
    if routes.get(table.context) == "retired":
        return NEW
    return NEW if all(routes.get(context) in SERVED_FROM_NEW for context in table.needs) else OLD


def served_schemas(tables: Mapping[str, ReleasedTable], routes: Mapping[str, Route]) -> dict[str, Side]:
    """Return the schema that each table is served from."""
    return {name: served_schema(table, routes) for name, table in tables.items()}


def waiting_for(table: ReleasedTable, routes: Mapping[str, Route]) -> list[str]:
    """Return the contexts that keep a table on old."""
    if not table.is_paired or served_schema(table, routes) == NEW:
        return []
    return [context for context in table.needs if routes.get(context) not in SERVED_FROM_NEW]


def lost_references(release: Release, schemas: Mapping[str, Side]) -> list[tuple[Reference, int]]:
    """Return the references that lead from one side to the other, with how many of them are lost by that, if any."""
    found = []
    for reference in release.references:
        child, parent = schemas[reference.child], schemas[reference.parent]
        lost = reference.lost.get(child, 0) if child != parent else 0
        if lost:
            found.append((reference, lost))
    return found


def mixtures(release: Release, schemas: Mapping[str, Side]) -> list[str]:
    """Return one sentence for each pair with a dimension whose sides do not belong beside each other."""
    return [
        f"{reference.child} from {schemas[reference.child]} would lose {lost:,} references by {reference.column} "
        f"beside {reference.parent} from {schemas[reference.parent]}; switch {_together(release, reference)} together"
        for reference, lost in lost_references(release, schemas)
        if _is_to_dimension(release, reference)
    ]


def way_back(release: Release, routes: Mapping[str, Route], context: str) -> dict[str, Route]:
    """Return the routes with a context on old, and with it every context on new that may not be served beside it then.

    Going back is always possible so: in the worst case everything goes.
    """
    wanted: dict[str, Route] = {**routes, context: OLD}
    while True:
        schemas = served_schemas(release.tables, wanted)
        mixed = [
            reference for reference, _ in lost_references(release, schemas) if _is_to_dimension(release, reference)
        ]
        on_new = [name for one in mixed for name in (one.child, one.parent) if schemas[name] == NEW]
        along = {release.tables[name].context for name in on_new}
        more = {name for name in along if wanted.get(name) == "new"}
        if not more:
            return wanted
        wanted.update(dict.fromkeys(more, OLD))


def unmatched(release: Release, schemas: Mapping[str, Side]) -> list[str]:
    """Return one sentence for each pair of facts of which one refers to rows that the other has not."""
    return [
        f"{lost:,} rows of {reference.child} ({schemas[reference.child]}) refer by {reference.column} to rows of "
        f"{reference.parent} that are not on {schemas[reference.parent]}"
        for reference, lost in lost_references(release, schemas)
        if not _is_to_dimension(release, reference)
    ]


def missing_sides(release: Release, schemas: Mapping[str, Side]) -> list[str]:
    """Return the tables whose wanted side the release does not hold, because it was not built any more."""
    return [name for name, schema in schemas.items() if schema not in release.sources(name)]


def is_of_these_routes(release: Release, routes: Mapping[str, Route]) -> bool:
    """Whether a release shows what `routes` ask for, and holds both sides of each table, of a retired one new alone."""
    schemas = served_schemas(release.tables, routes)
    return all(
        table.schema == schemas[name]
        and (OLD in release.sources(name)) != (table.is_paired and routes.get(table.context) == "retired")
        for name, table in release.tables.items()
    )


def _is_to_dimension(release: Release, reference: Reference) -> bool:
    return any(release.tables[name].is_dimension for name in (reference.child, reference.parent))


def _together(release: Release, reference: Reference) -> str:
    contexts: Iterable[str] = (release.tables[name].context for name in (reference.child, reference.parent))
    return " and ".join(dict.fromkeys(contexts))
