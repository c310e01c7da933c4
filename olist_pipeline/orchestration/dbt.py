"""dbt assets: the old project twice, as `old` and as `replay`, and the new one, as `new`.

What belongs here: asset keys, groups and arguments of dbt's invocations, and what happens around one. What does not:
SQL, how dbt is started on a project (`dbt_projects`), and reading the warehouse.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

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
from olist_pipeline.migration.proof import unproven
from olist_pipeline.months import MonthRange
from olist_pipeline.old_tables import names_of
from olist_pipeline.orchestration.column_lineage import BY_DUCKDB, Written, lineage_metadata
from olist_pipeline.orchestration.dbt_keys import TreeTranslator
from olist_pipeline.orchestration.dbt_places import TreeFolder, make_an_end, make_ready, place_of, show_tree
from olist_pipeline.orchestration.dbt_projects import (
    dbt_of,
    dbt_project,
    ensure_manifest,
    environment_of,
    exported,
    landing_of,
    migration_of,
    target_path,
    today_of,
    variables_of,
)
from olist_pipeline.orchestration.dbt_results import Bringing, events_of, happened, refusals
from olist_pipeline.orchestration.internals.beside import BESIDE
from olist_pipeline.orchestration.internals.dbt_cli import refuse_interrupted
from olist_pipeline.orchestration.partitions import COMPARED_WHOLE, MONTHS, months_of, tagged_months
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.orchestration.validation import place_metadata
from olist_pipeline.provenance import old_begins, old_was_made_of
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.replay import write_replay_landing
from olist_pipeline.settings import Settings
from olist_pipeline.spark.application import application_of
from olist_pipeline.spark.trees import TARGET, is_on_spark, name_on_spark
from olist_pipeline.staging import staged_months
from olist_pipeline.warehouse import load_manifest, sole_use, warehouse_tables

POOL = "duckdb"
"""The pool of what has the warehouse open from start to end."""
FULL_REFRESH = "olist/full_refresh"
"""The tag of a run that builds monthly tables anew as a whole, whatever months it is given."""

WINDOW_VARIABLES = ("OLIST_FIRST_MONTH", "OLIST_LAST_MONTH")
AS_PARQUET = ("run-operation", "landing_as_parquet")
NO_TESTS = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]

Window = tuple[date, date]
"""The first and the last month, both included, that a run builds of monthly tables."""


@dataclass(frozen=True)
class Build:
    """One invocation of dbt: the models of a tree that it builds, by month or as a whole.

    `reads` are the unique ids of all nodes and sources that are made or read on the way.
    """

    name: str
    tree: str
    select: str
    exclude: str = ""
    is_monthly: bool = False
    reads: frozenset[str] = frozenset()


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


def build_arguments(tree: str, *, is_whole: bool = True, is_tested: bool = True) -> list[str]:
    """Return the arguments of the dbt invocation that builds one tree, monthly tables as a whole or a window of them.

    Old and new are tested as they are built. Replay is not: its tests are old's. dbt's unit tests speak of
    the SQL, not of the data; they belong to the tests of the project.
    """
    excluded = ["--exclude-resource-type", "unit_test"] if is_tested and tree != REPLAY else NO_TESTS
    return ["build", *excluded, *(["--full-refresh"] if is_whole or tree != NEW else [])]


def commands_of(tree: str, manifest: Mapping[str, Any], migration: Migration, *, is_whole: bool) -> list[list[str]]:
    """Return the arguments of each invocation of dbt that a tree needs.

    Of old one builds its tables and tests them, unless a failed test would keep the tables behind it from being built:
    then they are tested afterwards.
    """
    part = old_part(migration)
    stops = tree == OLD and any(
        node["resource_type"] == "test" and str(node["config"].get("severity", "error")).lower() == "error"
        for node in manifest["nodes"].values()
        if part.holds(node)
    )
    if stops:
        return [build_arguments(tree, is_tested=False), ["test", "--exclude-resource-type", "unit_test"]]
    return [build_arguments(tree, is_whole=is_whole)]


def pool_of(settings: Settings, tree: str) -> str:
    """Return the pool of a tree: old and replay are built beside new, but on Spark, which has its cores to itself."""
    return POOL if tree == NEW or settings.engine == "spark" else f"{POOL}_{tree}"


def window_variables(window: Window | None) -> dict[str, str]:
    """Return the environment variables that tell dbt of a window (see dbt/macros/months.sql)."""
    return dict(zip(WINDOW_VARIABLES, (month.isoformat() for month in window), strict=True)) if window else {}


def window_of(months: Sequence[date], staged: Iterable[date]) -> Window | None:
    """Return the window of a run over `months`, none where they are all that is staged: the whole is built then.

    Months follow one another without a gap, as in a Dagster range. Raises ValueError for no month.
    """
    if not months:
        raise ValueError("A monthly build needs its months: without a window it would build them all")
    return None if set(staged) <= set(months) else (min(months), max(months))


def dbt_tree_assets(settings: Settings, retired: Collection[str] = ()) -> list[dg.AssetsDefinition]:
    """Return the assets of the three trees, without the old and replay tables that only `retired` contexts had.

    Once nobody needs an old table, there is only the new tree. Replay has what the pairs are made of.
    """
    migration = migration_of(settings)
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
    migration, tree = migration_of(settings), build.tree
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
        settings = pipeline.settings
        on_spark = is_on_spark(settings, migration, tree)
        # dbt new has the warehouse open from start to end, the others open it to bring what they made.
        alone, brings = (
            partial(sole_use, settings, refuse_interrupted),
            partial(show_tree, settings, migration, parsed, tree),
        )
        bringing = Bringing(alone, brings) if tree != NEW or on_spark else Bringing(nullcontext)
        with alone() if bringing.bring is None else nullcontext():
            with clear_failures():
                landing, day = _prepared(settings, build, parsed, migration), today_of(settings)
                # Of a run over some assets, the definition in the context has those alone.
                is_whole_tree = set(context.selected_asset_keys) == set(run_dbt.keys)
                here = place_of(settings, tree, on_spark=on_spark)
                needed = needed_first(build, migration, here, is_whole=is_whole_tree, on_spark=on_spark)
                is_fresh = tree != NEW and bool(is_whole_tree or needed)
                make_ready(settings, migration, parsed, tree, build.name, landing, is_fresh=is_fresh)
                inputs = old_begins(settings) if tree == OLD else {}
            window = None
            if build.is_monthly:
                window = _window(months_of(context.partition_keys), context.run.tags, settings)
            target = target_path(settings, tree, on_spark=on_spark)
            written = Written(TARGET, partial(name_on_spark, tree)) if on_spark else BY_DUCKDB
            dbt, variables = dbt_of(settings, tree, on_spark=on_spark), variables_of(settings, tree, landing, day)
            environment = {**environment_of(settings, tree, landing, day), **window_variables(window)}
            if on_spark and tree != NEW:
                with exported(environment):
                    # Spark reads CSV otherwise: it gets the cells that DuckDB reads.
                    reading = [*AS_PARQUET, *variables]
                    as_parquet = dbt_of(settings, tree).cli(reading, target_path=target_path(settings, tree))
                with refusals(tree):
                    as_parquet.wait()
            if needed:
                with exported(environment):
                    whole = [*build_arguments(tree, is_tested=False), *needed]
                    first = dbt.cli([*whole, *variables], target_path=target)
                first.wait()
            for command in commands_of(tree, parsed, migration, is_whole=window is None):
                with exported(environment):
                    # A test that fails is a result of its check; a model that fails ends the step.
                    invocation = dbt.cli(
                        [*command, *variables],
                        context=context,
                        target_path=target,
                        raise_on_error=command[0] != "test",
                    )
                events = events_of(
                    invocation.stream(), context, parsed, settings.warehouse, target, bringing, counts_views=on_spark
                )
                for event in happened(events, tree):
                    if isinstance(event, dg.Output):
                        model = str(event.metadata["unique_id"].value)
                        lineage = lineage_metadata(parsed, model, translator, project, target, written)
                        place = place_metadata(application_of(settings.spark_master, target)) if on_spark else {}
                        yield event.with_metadata({**event.metadata, **lineage, **place})
                    else:
                        yield event
            if on_spark:
                with clear_failures():
                    make_an_end(settings, migration, tree)
            if tree == OLD and is_whole_tree:
                old_was_made_of(settings, inputs)

    return run_dbt


def needed_first(build: Build, migration: Migration, place: TreeFolder, *, is_whole: bool, on_spark: bool) -> list[str]:
    """Return the arguments that select what is built before what a run asks for; none where it is there."""
    selected = "" if is_whole or place.holds(build.name) else build.select
    if build.tree == NEW:
        # What is not built by month reads what is.
        is_bare = not build.is_monthly and not place.holds("*")
        selected = (new_part(migration).select if is_bare else selected) if on_spark else ""
    without = build.exclude.strip()
    return ["--select", selected, *(["--exclude", without] if without else [])] if selected else []


def _prepared(settings: Settings, build: Build, manifest: Mapping[str, Any], migration: Migration) -> Path:
    """Return the landing folder that a tree reads; replay's is written, and must be all that it can read."""
    if build.tree != REPLAY:
        return landing_of(settings)
    if problems := unproven(manifest, migration, build.reads):
        raise dg.Failure(f"Replay is no proof: {'; '.join(problems)}.", allow_retries=False)
    write_replay_landing(settings, migration)
    return settings.replay_landing


def compared_months(tags: Mapping[str, str], settings: Settings) -> MonthRange | None:
    """Return the months of monthly tables that a run with `tags` compares, none where it compares them as a whole."""
    months = [] if COMPARED_WHOLE.items() <= tags.items() else tagged_months(tags)
    window = _window(months, tags, settings) if months else None
    return MonthRange(*window) if window else None


def _window(months: Sequence[date], tags: Mapping[str, str], settings: Settings) -> Window | None:
    if FULL_REFRESH in tags:
        return None
    staged = {
        month
        for moved in CONTEXTS.values()
        for table in moved.tables
        for month in staged_months(settings.staging, moved.name, table.name)
    }
    return window_of(months, staged)


def _is_monthly(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model" and node["config"]["materialized"] == "incremental")
