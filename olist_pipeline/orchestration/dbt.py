"""dbt assets: the old project twice, as `old` and as `replay`, and the new one, as `new`.

What belongs here: which models an asset builds, by month or as a whole, and its pool. What does not: SQL, its keys and
groups (`dbt_keys`), and what happens in a run (`dbt_build`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import NEW, OLD, REPLAY, Migration
from olist_pipeline.migration.project import (
    ancestors,
    context_of_new,
    context_of_old,
    find_old,
    is_relation,
    loaded_seeds,
    new_part,
    old_part,
    old_relations,
    read_by_hooks,
    relations_among,
    selection,
)
from olist_pipeline.old_tables import names_of
from olist_pipeline.orchestration.column_lineage import lineage_metadata
from olist_pipeline.orchestration.dbt_build import Build, TreeBuild
from olist_pipeline.orchestration.dbt_keys import TreeTranslator
from olist_pipeline.orchestration.dbt_projects import dbt_project, ensure_manifest
from olist_pipeline.orchestration.internals.beside import BESIDE
from olist_pipeline.orchestration.partitions import MONTHS
from olist_pipeline.orchestration.resources import PipelineResource
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings
from olist_pipeline.warehouse import load_manifest, warehouse_tables

POOL = "duckdb"
"""The pool of what has the warehouse open from start to end."""


def waiting_models(manifest: Mapping[str, Any]) -> str:
    """Return the dbt selection of the models whose context has not moved into the pipeline yet.

    They are excluded rather than the others selected: a test that touches one of them then is excluded too.
    """
    contexts = {context_of_new(node) for node in manifest["nodes"].values()}
    return " ".join(
        f"config.meta.context:{context}" for context in sorted({one for one in contexts if one} - set(CONTEXTS))
    )


def retired_models(manifest: Mapping[str, Any], migration: Migration, retired: Collection[str]) -> set[str]:
    """Return the unique ids of old that nobody needs any more: of retired contexts, read by none that is not retired.

    The old SQL of a context whose tables another one still reads goes on being built, and so does what dashboards read
    of old.
    """
    part = old_part(migration)
    nodes = {uid: manifest["nodes"][uid] for uid in old_relations(manifest, migration).values()}
    served = {find_old(manifest, migration, name)["unique_id"] for name in migration.served}
    needed = {uid for uid, node in nodes.items() if part.holds(node) and context_of_old(node, migration) not in retired}
    return set(nodes) - ancestors(manifest, [*needed, *served])


def paired_of(
    old: Mapping[str, Any], new: Mapping[str, Any], migration: Migration, retired: Collection[str]
) -> list[str]:
    """Return the unique ids of the old relations of the pairs that are compared: of contexts that are not retired."""
    compared = {table.name for table in warehouse_tables(new, migration) if table.context not in retired}
    pairs = [pair for pair in migration.pairs if pair.name in compared]
    return [find_old(old, migration, pair.old)["unique_id"] for pair in pairs]


def pool_of(settings: Settings, tree: str) -> str:
    """Return the pool of a tree: old and replay are built beside new, but on Spark, which has its cores to itself."""
    return POOL if tree == NEW or settings.engine == "spark" else f"{POOL}_{tree}"


def dbt_tree_assets(settings: Settings, retired: Collection[str] = ()) -> list[dg.AssetsDefinition]:
    """Return the assets of the three trees, without the old and replay tables that only `retired` contexts had.

    Once nobody needs an old table, there is only the new tree. Replay has what the pairs are made of.
    """
    migration = load_migration(settings.migration)
    old = load_manifest(ensure_manifest(settings, OLD))
    parsed = load_manifest(ensure_manifest(settings, NEW))
    waiting = waiting_models(parsed)
    dropped = retired_models(old, migration, retired)
    relations = set(old_relations(old, migration).values())
    paired = paired_of(old, parsed, migration, retired)
    replayed = ancestors(old, [*paired, *read_by_hooks(old)]) if paired else set()
    loaded = loaded_seeds(old, migration)
    without = selection(old["nodes"][uid] for uid in dropped | loaded)
    part = new_part(migration)
    made = [node for node in parsed["nodes"].values() if is_relation(node) and part.holds(node)]
    builds = []
    if relations - dropped:
        builds.append(Build("dbt_old", OLD, old_part(migration).select_with_ancestors, without))
    if replayed:
        chosen = selection(relations_among(old, replayed - loaded))
        builds.append(Build("dbt_replay", REPLAY, chosen, reads=frozenset(replayed)))
    if any(map(_is_monthly, made)):
        whole, monthly = selections_of(part.select, made)
        # A test that looks from a fact to a whole table runs with the latter, which are built afterwards.
        builds.append(Build("dbt_new_months", NEW, monthly, f"{whole} {waiting}", is_monthly=True))
        builds.append(Build("dbt_new", NEW, whole, waiting))
    else:
        builds.append(Build("dbt_new", NEW, part.select, waiting))
    return [_built(build, settings) for build in builds]


def selections_of(part: str, made: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """Return the selections of a part's nodes that are built as a whole, whatever kind they are, and of the monthly."""
    kinds = {node["config"]["materialized"] for node in made} - {"incremental"}
    whole = " ".join(f"{part},config.materialized:{kind}" for kind in sorted(kinds | {"table"}))
    return whole, f"{part},config.materialized:incremental"


def _built(build: Build, settings: Settings) -> dg.AssetsDefinition:
    migration, tree = load_migration(settings.migration), build.tree
    manifest = ensure_manifest(settings, tree)
    parsed = load_manifest(manifest)
    translator = TreeTranslator(tree, migration, {} if tree == NEW else names_of(parsed, migration))
    project = dbt_project(settings, tree)

    @dbt_assets(
        manifest=manifest,
        project=project,
        name=build.name,
        select=build.select,
        exclude=build.exclude.strip() or None,
        dagster_dbt_translator=translator,
        partitions_def=MONTHS if build.is_monthly else None,
        backfill_policy=dg.BackfillPolicy.single_run() if build.is_monthly else None,
        pool=pool_of(settings, tree),
        op_tags={BESIDE: "true"},
    )
    def run_dbt(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[Any]:
        # Of a run over some assets, the definition in the context has those alone.
        is_whole_tree = set(context.selected_asset_keys) == set(run_dbt.keys)
        running = TreeBuild(build, pipeline.settings, parsed, partial(lineage_metadata, parsed, translator, project))
        yield from running.events(context, is_whole_tree=is_whole_tree)

    return run_dbt


def _is_monthly(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model" and node["config"]["materialized"] == "incremental")
