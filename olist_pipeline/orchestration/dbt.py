"""dbt assets: the three trees of the dbt project, `old`, `replay` and `new`.

What belongs here: asset keys, groups and arguments of dbt's invocations. What does not: SQL, and reading the
warehouse.
"""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash, replacing, tree_hash
from olist_pipeline.intake.span import as_of
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.landing.parts import is_in_parts
from olist_pipeline.months import FIRST_MONTH, MonthRange
from olist_pipeline.orchestration.dbt_results import told
from olist_pipeline.orchestration.forked_dbt import ASKING
from olist_pipeline.orchestration.internals.beside import BESIDE
from olist_pipeline.orchestration.internals.lineage import column_lineage
from olist_pipeline.orchestration.partitions import COMPARED_WHOLE, MONTHS, months_of, tagged_months
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import DBT_DIR, Settings
from olist_pipeline.staging import staged_months
from olist_pipeline.warehouse import NEW, OLD, REPLAY, await_free, load_manifest

TARGET = {OLD: "warehouse", REPLAY: "replay", NEW: "warehouse"}
POOL = "duckdb"
FULL_REFRESH = "olist/full_refresh"
"""The tag of a run that builds monthly tables anew as a whole, whatever months it is given."""

WINDOW_VARIABLES = ("OLIST_FIRST_MONTH", "OLIST_LAST_MONTH")

UNPACKED_VARIABLE = "OLIST_UNPACKED_DIR"
PARTS_VARIABLE = "OLIST_LANDING_PARTS"

AS_OF_VARIABLE = "OLIST_AS_OF"

Window = tuple[date, date]
"""The first and the last month, both included, that a run builds of monthly tables."""


@dataclass(frozen=True)
class Build:
    """One invocation of dbt: the models of a tree that it builds, by month or as a whole."""

    name: str
    tree: str
    select: str
    exclude: str = ""
    is_monthly: bool = False


_TABLES, _MONTHLY = (f"fqn:olist.new,config.materialized:{kind}" for kind in ("table", "incremental"))
BUILDS = (
    Build("dbt_old", OLD, "fqn:olist.old"),
    Build("dbt_replay", REPLAY, "fqn:olist.old"),
    # A test that looks from a fact to a whole table runs with the latter, which are built afterwards.
    Build("dbt_new_months", NEW, _MONTHLY, _TABLES, is_monthly=True),
    Build("dbt_new", NEW, _TABLES),
)


class TreeTranslator(DagsterDbtTranslator):
    """Asset keys of one tree: `old/fact_orders`, `replay/fact_orders`, `new/fact_orders`."""

    def __init__(self, tree: str) -> None:
        # Replay reads what validation accepted, and so do the new models: one asset, two dbt sources.
        super().__init__(
            DagsterDbtTranslatorSettings(
                enable_asset_checks=tree != REPLAY,
                enable_duplicate_source_asset_keys=True,
                enable_source_metadata=False,
            )
        )
        self.tree = tree

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """See `DagsterDbtTranslator.get_asset_spec`."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        if props["resource_type"] == "source":
            return spec.replace_attributes(key=self._source_key(props, spec.key))
        group = (props["config"].get("meta") or {}).get("context")
        return spec.replace_attributes(key=dg.AssetKey([self.tree, props["alias"]]), group_name=group)

    def _source_key(self, props: Mapping[str, Any], key: dg.AssetKey) -> dg.AssetKey:
        if self.tree != REPLAY or key.path[0] != "landing":
            return key
        landing = LANDING.get(props["name"])
        return staging_key(landing.context, landing.name) if landing else key


def dbt_project(settings: Settings) -> DbtProject:
    """Return the dbt project, with its target folder below OLIST_HOME."""
    return DbtProject(project_dir=DBT_DIR, profiles_dir=DBT_DIR, target_path=settings.dbt_target / OLD)


def ensure_manifest(settings: Settings) -> Path:
    """Return the path of dbt's manifest, parsing the project when a file of it has changed since."""
    manifest = settings.dbt_target / OLD / "manifest.json"
    stamp = settings.dbt_target / "parsed"
    folders = (DBT_DIR / "models", DBT_DIR / "macros", DBT_DIR / "tests")
    state = tree_hash(*folders, suffixes=(".sql", ".yml")) + content_hash(DBT_DIR / "dbt_project.yml")
    said = ""
    with suppress(OSError, ValueError):
        said = stamp.read_text("utf-8")
        if said == state + content_hash(manifest):
            return manifest
    if said.startswith(state):
        # The project is as it was, and what dbt made of it is not: whatever has become of that, dbt makes it again.
        shutil.rmtree(settings.dbt_target, ignore_errors=True)
    _parse(settings)
    with replacing(stamp) as temporary:
        temporary.write_text(state + content_hash(manifest), "utf-8")
    return manifest


def waiting_models(manifest: Mapping[str, Any]) -> str:
    """Return the dbt selection of the models whose context has not moved into the pipeline yet.

    They are excluded rather than the others selected: a test that touches one of them then is excluded too.
    """
    contexts = {node["config"]["meta"].get("context") for node in manifest["nodes"].values() if node["config"]["meta"]}
    return " ".join(f"config.meta.context:{context}" for context in sorted(contexts - set(CONTEXTS) - {None}))


def retired_models(manifest: Mapping[str, Any], retired: Collection[str]) -> list[str]:
    """Return the old models that nobody needs any more: of retired contexts, read by no context that is not retired.

    They are known to dbt by name; the old SQL of a context whose tables another one still reads goes on being built.
    """
    context_of = {uid: _context(node) for uid, node in manifest["nodes"].items() if _is_old_model(node)}
    needed = {uid for uid, context in context_of.items() if context not in retired}
    waiting = list(needed)
    while waiting:
        parents = set(manifest["nodes"][waiting.pop()]["depends_on"]["nodes"]) & context_of.keys()
        waiting += parents - needed
        needed |= parents
    return sorted(manifest["nodes"][uid]["name"] for uid in context_of.keys() - needed)


def build_arguments(tree: str, *, is_whole: bool = True) -> list[str]:
    """Return the arguments of the dbt invocation that builds one tree, monthly tables as a whole or a window of them.

    Old and new are tested as they are built. Replay is not: its tests are old's. dbt's unit tests speak of
    the SQL, not of the data; they belong to the tests of the project.
    """
    command = ["run"] if tree == REPLAY else ["build", "--exclude-resource-type", "unit_test"]
    refresh = ["--full-refresh"] if tree == NEW and is_whole else []
    return [*command, *refresh, "--target", TARGET[tree]]


def parse_arguments(settings: Settings) -> list[str]:
    """Return the arguments of the dbt invocation that makes the manifest."""
    folders = [
        "--profiles-dir",
        DBT_DIR,
        "--target-path",
        settings.dbt_target / OLD,
        "--log-path",
        settings.dbt_target / "logs",
    ]
    return ["--quiet", "parse", "--target", TARGET[OLD], *map(str, folders)]


def as_of_variables(as_of: date) -> dict[str, str]:
    """Return the environment variable that tells dbt which day is today (see dbt/macros/as_of.sql).

    It is no variable of dbt's, which parses the whole project anew when one changes: this one does with each delivery.
    """
    return {AS_OF_VARIABLE: as_of.isoformat()}


def window_variables(window: Window | None) -> dict[str, str]:
    """Return the environment variables that tell dbt of a window (see dbt/macros/months.sql)."""
    return dict(zip(WINDOW_VARIABLES, (month.isoformat() for month in window), strict=True)) if window else {}


def landing_variables(settings: Settings, readable: Path) -> dict[str, str]:
    """Return the variables that tell dbt where landing files are plain, and which are in parts (see sources.yml)."""
    if readable == settings.landing:
        return {}
    in_parts = [table.name for table in LANDING.values() if is_in_parts(readable, table)]
    return {UNPACKED_VARIABLE: str(readable), PARTS_VARIABLE: ",".join(in_parts)}


def window_of(months: Sequence[date], staged: Iterable[date]) -> Window | None:
    """Return the window of a run over `months`, none where they are all that is staged: the whole is built then.

    Months follow one another without a gap, as in a Dagster range. Raises ValueError for no month.
    """
    if not months:
        raise ValueError("A monthly build needs its months: without a window it would build them all")
    return None if set(staged) <= set(months) else (min(months), max(months))


def dbt_tree_assets(settings: Settings, manifest: Path, retired: Collection[str] = ()) -> list[dg.AssetsDefinition]:
    """Return the assets of the three trees, without the old and replay tables that only `retired` contexts had.

    Once nobody needs an old table, there is only the new tree.
    """
    parsed = load_manifest(manifest)
    waiting, dropped = waiting_models(parsed), retired_models(parsed, retired)
    kept = any(_is_old_model(node) and node["name"] not in dropped for node in parsed["nodes"].values())
    without = {OLD: [waiting, *dropped], REPLAY: [waiting, *dropped], NEW: [waiting]}
    builds = [build for build in BUILDS if kept or build.tree == NEW]
    return [_built(build, settings, manifest, " ".join([build.exclude, *without[build.tree]])) for build in builds]


def _built(build: Build, settings: Settings, manifest: Path, exclude: str) -> dg.AssetsDefinition:
    translator, parsed = TreeTranslator(build.tree), load_manifest(manifest)

    @dbt_assets(
        manifest=manifest,
        project=dbt_project(settings),
        name=build.name,
        select=build.select,
        exclude=exclude.strip(),
        dagster_dbt_translator=translator,
        partitions_def=MONTHS if build.is_monthly else None,
        backfill_policy=dg.BackfillPolicy.single_run() if build.is_monthly else None,
        pool=POOL,
        op_tags={BESIDE: "true"},
    )
    def run_dbt(context: dg.AssetExecutionContext, dbt: DbtCliResource, pipeline: PipelineResource) -> Iterator[Any]:
        with clear_failures():
            landing = readable_landing(pipeline.settings, LANDING.values())
            last_purchase = as_of(landing)
            await_free(pipeline.settings.warehouse)
        window = None
        if build.is_monthly:
            window = _window(months_of(context.partition_keys), context.run.tags, pipeline.settings)
        arguments = build_arguments(build.tree, is_whole=window is None)
        unpacked = landing_variables(pipeline.settings, landing)
        with _exported({**as_of_variables(last_purchase), **unpacked, **window_variables(window)}):
            invocation = dbt.cli(arguments, context=context, target_path=_target_path(settings, TARGET[build.tree]))
        target = invocation.target_path
        for event in told(invocation.stream(), context, parsed, pipeline.settings.warehouse, target):
            # Reading the lineage of every query takes half a minute: once a week will do.
            if FULL_REFRESH in context.run.tags and isinstance(event, dg.Output) and build.tree != REPLAY:
                model = str(event.metadata["unique_id"].value)
                lineage = column_lineage(parsed, model, translator, target)
                yield event.with_metadata({**event.metadata, **lineage})
            else:
                yield event

    return run_dbt


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


def _context(node: Mapping[str, Any]) -> str | None:
    context: str | None = (node["config"].get("meta") or {}).get("context")
    return context


def _is_old_model(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model" and node["fqn"][1] == OLD)


def _parse(settings: Settings) -> None:
    """Run `dbt parse`; raises OlistError with dbt's own words when the project does not parse."""
    parsed, build = settings.dbt_target / OLD, _target_path(settings, TARGET[OLD])
    result = subprocess.run(
        [*ASKING, *parse_arguments(settings)],
        cwd=DBT_DIR,
        # As a build has it, as far as it is known: it then need not parse once more.
        env={**os.environ, **as_of_variables(_last_purchase(settings))},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise OlistError(f"dbt cannot parse {DBT_DIR}: {(result.stdout or result.stderr).strip()[-2000:]}")
    build.mkdir(exist_ok=True)
    shutil.copy(parsed / "partial_parse.msgpack", build)


@contextmanager
def _exported(variables: Mapping[str, str]) -> Iterator[None]:
    """Let a process that is started in the block have `variables`, too."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def _target_path(settings: Settings, name: str) -> Path:
    return settings.dbt_target / f"run_{name}"


def _last_purchase(settings: Settings) -> date:
    """Return the date that builds look back from; any date where landing has none yet: models then need no landing."""
    try:
        return as_of(readable_landing(settings, [ORDERS]))
    except (OlistError, OSError):
        return FIRST_MONTH
