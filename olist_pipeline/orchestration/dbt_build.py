"""A build of a tree in a run: how it begins, the invocations of dbt that it takes, and how it ends.

What belongs here: arguments of dbt, the months that a build makes, and what happens around an invocation. What does
not: the assets (`dbt`), what dbt is started with on a project (`dbt_projects`), and its results (`dbt_results`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from olist_pipeline.data_months import months_of_staging
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import NEW, OLD, REPLAY, Migration
from olist_pipeline.migration.project import new_part, old_part
from olist_pipeline.migration.proof import letting_in, unproven
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.column_lineage import BY_DUCKDB, Written
from olist_pipeline.orchestration.dbt_places import TreeFolder, make_an_end, make_ready, place_of, show_tree
from olist_pipeline.orchestration.dbt_projects import (
    dbt_of,
    environment_of,
    exported,
    landing_of,
    target_path,
    today_of,
    variables_of,
)
from olist_pipeline.orchestration.dbt_results import Bringing, events_of, happened, refusals
from olist_pipeline.orchestration.internals.dbt_cli import OwnDbt, refuse_interrupted
from olist_pipeline.orchestration.partitions import COMPARED_WHOLE, months_of, tagged_months
from olist_pipeline.orchestration.resources import clear_failures
from olist_pipeline.orchestration.validation import place_metadata
from olist_pipeline.provenance import old_begins, old_was_made_of
from olist_pipeline.replay import write_replay_landing
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import AS_PARQUET, TARGET, application_of, is_on_spark, lacking, name_on_spark
from olist_pipeline.warehouse import sole_use

if TYPE_CHECKING:
    from dagster_dbt import DbtCliInvocation

FULL_REFRESH = "olist/full_refresh"
"""The tag of a run that builds monthly tables anew as a whole, whatever months it is given."""
WINDOW_VARIABLES = ("OLIST_FIRST_MONTH", "OLIST_LAST_MONTH")
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


@dataclass(frozen=True)
class _Dbt:
    """dbt with what it is started with in a build."""

    dbt: OwnDbt
    variables: Sequence[str]
    environment: Mapping[str, str]
    target: Path

    def start(self, command: Sequence[str], **options: Any) -> DbtCliInvocation:
        """Start an invocation of dbt; `options` are those of `DbtCliResource.cli`."""
        with exported(self.environment):
            return self.dbt.cli([*command, *self.variables], target_path=self.target, **options)


@dataclass(frozen=True)
class TreeBuild:
    """A build in a run with `settings`, for which the project was parsed.

    `lineage` returns the metadata of where the columns of a model are from, by its id, of the artifacts in a folder.
    """

    build: Build
    settings: Settings
    manifest: Mapping[str, Any]
    lineage: Callable[[str, Path, Written], Mapping[str, Any]]

    @cached_property
    def _migration(self) -> Migration:
        return load_migration(self.settings.migration)

    @cached_property
    def _on_spark(self) -> bool:
        return is_on_spark(self.settings, self._migration, self.build.tree)

    @cached_property
    def _names(self) -> set[str]:
        return {str(node.get("alias")) for node in self.manifest["nodes"].values()}

    def events(self, context: dg.AssetExecutionContext, *, is_whole_tree: bool) -> Iterator[Any]:
        """Yield what dbt does; `is_whole_tree` says that the run asks for all that there is in the build.

        dbt new has the warehouse open from start to end, the others open it to bring what they made.
        """
        tree, alone = self.build.tree, partial(sole_use, self.settings, refuse_interrupted)
        if tree == NEW and not self._on_spark:
            with alone():
                yield from self._events(context, Bringing(nullcontext), is_whole_tree=is_whole_tree)
        else:
            bring = partial(show_tree, self.settings, self._migration, self.manifest, tree)
            yield from self._events(context, Bringing(alone, bring), is_whole_tree=is_whole_tree)

    def _events(self, context: dg.AssetExecutionContext, bringing: Bringing, *, is_whole_tree: bool) -> Iterator[Any]:
        build, tree, settings = self.build, self.build.tree, self.settings
        with clear_failures():
            landing, day = _prepared(settings, build, self.manifest, self._migration), today_of(settings)
            needed = self._begin(landing, is_whole_tree=is_whole_tree)
            inputs = old_begins(settings) if tree == OLD else {}
            months = months_of(context.partition_keys) if build.is_monthly else None
            window = None if months is None else _window(months, context.run.tags, settings)
        dbt = self._dbt(landing, day, window)
        if self._on_spark and tree != NEW:
            self._write_parquet(dbt)
        if needed:
            dbt.start([*build_arguments(tree, is_tested=False), *needed]).wait()
        for command in commands_of(tree, self.manifest, self._migration, is_whole=window is None):
            yield from self._results(dbt, command, context, bringing)
        with clear_failures():
            make_an_end(settings, self._migration, tree)
        if tree == OLD and is_whole_tree:
            old_was_made_of(settings, inputs)

    def _begin(self, landing: Path, *, is_whole_tree: bool) -> list[str]:
        """Make the tree's place ready; return the arguments that select what the build needs besides."""
        build, tree, settings = self.build, self.build.tree, self.settings
        here = place_of(settings, tree, on_spark=self._on_spark)
        needed = needed_first(build, self._migration, here, is_whole=is_whole_tree, on_spark=self._on_spark)
        is_fresh = tree != NEW and bool(is_whole_tree or needed)
        make_ready(settings, self._migration, self.manifest, tree, build.name, landing, is_fresh=is_fresh)
        return needed

    def _dbt(self, landing: Path, day: date, window: Window | None) -> _Dbt:
        tree, settings = self.build.tree, self.settings
        return _Dbt(
            dbt_of(settings, tree, on_spark=self._on_spark),
            variables_of(settings, tree, landing, day),
            {**environment_of(settings, tree, landing, day), **window_variables(window)},
            target_path(settings, tree, on_spark=self._on_spark),
        )

    def _write_parquet(self, dbt: _Dbt) -> None:
        """Let DuckDB write landing for Spark, by a macro of the project."""
        if missing := lacking(self.manifest):
            raise dg.Failure(f"{self._migration.path.name}: {missing}.", allow_retries=False)
        tree, settings = self.build.tree, self.settings
        by_duckdb = replace(dbt, dbt=dbt_of(settings, tree), target=target_path(settings, tree))
        with refusals(tree, settings, self._names):
            by_duckdb.start(("run-operation", AS_PARQUET)).wait()

    def _results(
        self, dbt: _Dbt, command: Sequence[str], context: dg.AssetExecutionContext, bringing: Bringing
    ) -> Iterator[Any]:
        """Yield what an invocation does, its models with where their columns are from and where Spark made them."""
        # A test that fails is a result of its check; a model that fails ends the step.
        invocation = dbt.start(command, context=context, raise_on_error=command[0] != "test")
        events = events_of(
            invocation.stream(),
            context,
            self.manifest,
            self.settings.warehouse,
            dbt.target,
            bringing,
            counts_views=self._on_spark,
        )
        for event in happened(events, self.build.tree, self.settings, self._names):
            if isinstance(event, dg.Output):
                yield event.with_metadata({**event.metadata, **self._origin(event, dbt.target)})
            else:
                yield event

    def _origin(self, made: dg.Output[Any], target: Path) -> dict[str, Any]:
        model = str(made.metadata["unique_id"].value)
        if not self._on_spark:
            return {**self.lineage(model, target, BY_DUCKDB)}
        by_spark = Written(TARGET, partial(name_on_spark, self.build.tree))
        place = place_metadata(application_of(self.settings.spark_master, target))
        return {**self.lineage(model, target, by_spark), **place}


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
    if problems := [*unproven(manifest, migration, build.reads), *letting_in(migration, settings.landing)]:
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
    return window_of(months, months_of_staging(settings.staging))
