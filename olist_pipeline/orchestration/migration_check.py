"""Checking a migration: whether its file fits the projects that it names, before anything is run.

What belongs here: what is wrong, what is worth knowing, and what is not migrated yet. What does not: the form of the
file, which is checked as it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import NEW, OLD, Migration, TablePair
from olist_pipeline.migration.profiles import database_of, unloaded
from olist_pipeline.migration.project import (
    RELATIONS,
    ancestors,
    context_of_old,
    find_old,
    found_old,
    is_relation,
    new_part,
    old_relations,
    read_by_hooks,
    relations_among,
    selection,
    unasked_landing,
)
from olist_pipeline.migration.proof import VOUCH, letting_in, unproven
from olist_pipeline.old_tables import without_pair
from olist_pipeline.orchestration.dbt_projects import ensure_manifest, landing_of, today_of
from olist_pipeline.orchestration.known_columns import KnownColumns
from olist_pipeline.registry import LANDING
from olist_pipeline.replaced import refuse_unknown_places
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import lacking
from olist_pipeline.tablediff.contract import fold
from olist_pipeline.tablediff.names import nearest
from olist_pipeline.warehouse import load_manifest, warehouse_tables


@dataclass
class Checked:
    """What was found: the pairs by context, what is not migrated, notes, and problems, a sentence each."""

    pairs: dict[str, list[str]] = field(default_factory=dict)
    not_migrated: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return it for a person, a line each."""
        return [
            *(f"{context}: {', '.join(names)}" for context, names in self.pairs.items()),
            *(f"not migrated, {context}: {', '.join(names)}" for context, names in self.not_migrated.items()),
            *(f"note: {note}" for note in self.notes),
            *(f"problem: {problem}" for problem in self.problems),
        ]


def checked(settings: Settings) -> Checked:
    """Return what a migration file says and whether it fits; raises OlistError where a project does not parse."""
    migration, found = load_migration(settings.migration), Checked()
    manifest = load_manifest(ensure_manifest(settings, OLD))
    found.problems += made_elsewhere(manifest, migration, database_of(settings, migration, OLD).stem)
    _look_at_old(migration, manifest, found)
    try:
        refuse_unknown_places()
    except OlistError as error:
        found.problems.append(str(error).rstrip("."))
    found.problems += letting_in(migration, settings.landing)
    if migration.landing.folder:
        try:
            landing_of(settings)
        except OlistError as error:
            found.problems.append(str(error).rstrip("."))
    try:
        in_new = load_manifest(ensure_manifest(settings, NEW))
        tables = warehouse_tables(in_new, migration)
    except OlistError as error:
        found.problems.append(str(error).rstrip("."))
        return found
    if migration.new.spark and (missing := lacking(in_new, NEW)):
        found.problems.append(missing)
    for table in tables:
        found.pairs.setdefault(table.context, []).append(table.name)
    old = KnownColumns(manifest, migration.old_folder, migration, settings.landing)
    new = KnownColumns(in_new, migration.new_folder, migration, settings.landing)
    # Both trees may be in one project, and name their relations alike.
    part = new_part(migration)
    made = {node["alias"]: uid for uid, node in in_new["nodes"].items() if is_relation(node) and part.holds(node)}
    for pair in migration.pairs:
        for node in found_old(manifest, migration, pair.old):
            found.problems += columns_amiss(pair, (old, node["unique_id"]), (new, made[pair.new_name]))
    waiting = sorted({pair.name for pair in migration.pairs} - {table.name for table in tables})
    if waiting:
        found.notes.append(f"pairs of contexts that are not in {migration.contexts} wait: {', '.join(waiting)}")
    return found


def columns_that_change(settings: Settings, found: Checked) -> None:
    """Run old twice on the same landing, and add the columns of pairs that differ: a problem each, if not left out."""
    # Dagster takes seconds to import, and databases their time: what only reads the projects does without.
    from olist_pipeline.migration.clock import OTHERS, asking, changing_columns
    from olist_pipeline.orchestration.old_alone import run_old

    migration = load_migration(settings.migration)
    manifest = load_manifest(ensure_manifest(settings, OLD))
    uids = [node["unique_id"] for pair in migration.pairs for node in found_old(manifest, migration, pair.old)]
    wanted = ancestors(manifest, [*uids, *read_by_hooks(manifest)])
    select = selection(relations_among(manifest, wanted)).split()
    day, folder = today_of(settings), settings.home / "twice"
    first, second = (run_old(settings, folder / str(number), day, select) for number in (1, 2))
    for changing in changing_columns(migration, manifest, first, second):
        where = f"{changing.table}.{changing.column}" if changing.column != OTHERS else f"{OTHERS} of {changing.table}"
        if changing.reason:
            found.notes.append(f"{where} differs between two runs of old, and is left out: {changing.reason}")
        else:
            found.problems.append(
                f"{where} differs between two runs of old on the same landing, so the clock or chance makes it; "
                f"leave it out with a reason (left_out: {{{changing.column}: ...}})"
            )
    for model, asked in asking(manifest, wanted).items():
        found.notes.append(f"{model} asks for {', '.join(asked)}; two runs on one day cannot tell of a date")


def columns_amiss(pair: TablePair, old: tuple[KnownColumns, str], new: tuple[KnownColumns, str]) -> list[str]:
    """Return a sentence for each column of a pair that a side surely does not have, and each measure that is a text.

    A side is what is known of its columns, and the unique id of its relation.
    """
    in_old, in_new = (side.of(uid) for side, uid in (old, new))
    calls = {fold(olds): news for news, olds in pair.columns.items()}
    said = {"key": pair.key, "tolerances": pair.tolerances, "measures": pair.measures, "columns": pair.columns.values()}
    by_old = [(word, name, name) for word, names in said.items() for name in names]
    # What old does not have is said once.
    by_new = [
        (word, calls.get(fold(name), name), name) for word, name, _ in by_old if in_old is None or fold(name) in in_old
    ]
    amiss = [
        f"pairs.{pair.name}.{word}: {side} has no column {name}{_called(name, as_old)}; {nearest(name, sorted(known))}"
        for side, known, names in ((f"old's {pair.old}", in_old, by_old), (f"new's {pair.new_name}", in_new, by_new))
        for word, name, as_old in names
        if known is not None and fold(name) not in known
    ]
    if in_old is not None and in_new is not None:
        left = [
            name for name in pair.left_out if not {fold(name), fold(calls.get(fold(name), name))} & (in_old | in_new)
        ]
        amiss += [f"pairs.{pair.name}.left_out: neither side has a column {name}" for name in left]
        if old[0].is_declared(old[1]) and new[0].is_declared(new[1]):
            as_old = {fold(news): fold(olds) for news, olds in pair.columns.items()}
            shown = {as_old.get(name, name) for name in in_new}
            amiss += [
                f"pairs.{pair.name}: {'new' if name in shown else 'old'} alone has the column {name}; let both have "
                f"it, or say in left_out why not ({{{name}: ...}})"
                for name in sorted((shown ^ in_old) - set(map(fold, pair.left_out)))
            ]
    texts = [name for name in pair.measures if old[0].is_text(old[1], name)]
    amiss += [f"pairs.{pair.name}.measures: {name} is a text in old, and has no sum; take it out" for name in texts]
    return [sentence.rstrip(".?") for sentence in dict.fromkeys(amiss)]


def _called(name: str, as_old: str) -> str:
    return f" (old's {as_old})" if fold(name) != fold(as_old) else ""


def made_elsewhere(manifest: Mapping[str, Any], migration: Migration, own: str) -> list[str]:
    """Return a sentence for each relation of old that is made in another database than its `own`."""
    made = {name: str(manifest["nodes"][uid]["database"]) for name, uid in old_relations(manifest, migration).items()}
    return [
        f"old makes {name} in the database {database}, which it may only read here; let it be made in {own}"
        for name, database in made.items()
        if fold(database) != fold(own)
    ]


def _look_at_old(migration: Migration, manifest: Mapping[str, Any], found: Checked) -> None:
    for named in (*(pair.old for pair in migration.pairs), *migration.served):
        try:
            find_old(manifest, migration, named)
        except OlistError as error:
            found.problems.append(str(error).rstrip(".?"))
    paired = [node["unique_id"] for pair in migration.pairs for node in found_old(manifest, migration, pair.old)]
    found.problems += unproven(manifest, migration, ancestors(manifest, [*paired, *read_by_hooks(manifest)]))
    if extensions := unloaded(migration):
        found.notes.append(f"replay is run without {', '.join(extensions)}, which may read data past DuckDB; {VOUCH}")
    by_name = old_relations(manifest, migration)
    for name in without_pair(manifest, migration):
        context = context_of_old(manifest["nodes"][by_name[name]], migration)
        found.not_migrated.setdefault(context, []).append(name)
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] in RELATIONS}
    found.notes += [f"{entry} is no model of the old project" for entry in migration.matching_nothing(models)]
    found.notes += migration.matching_twice(models)
    if migration.old.spark and (missing := lacking(manifest)):
        found.problems.append(missing)
    if unasked := unasked_landing(migration):
        found.problems.append(unasked)
    owned = {table.file for table in LANDING.values()}
    if migration.landing.raw_schema:
        unnamed = [file for file in owned if not migration.landing.files.get(file)]
        found.problems += [f"landing.files does not say which source {file} is" for file in sorted(unnamed)]
        unsourced = [file for file, said in migration.landing.files.items() if not said.source]
        found.problems += [f"landing.files: {file} has no source" for file in unsourced]
    names = {f"{one['source_name']}.{one['name']}" for one in manifest["sources"].values()}
    for file, said in migration.landing.files.items():
        if said.source and said.source not in names:
            found.problems.append(f"landing.files: {file} is {said.source}, which is no source of the old project")
        if file not in owned:
            found.notes.append(f"{file} is read as it is: no context that has moved validates it")
