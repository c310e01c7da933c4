"""dbt assets: the three trees of the dbt project, `old`, `replay` and `new`.

What belongs here: asset keys, groups and arguments of dbt's invocations. What does not: SQL, and reading the
warehouse.
"""

import json
import subprocess
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing, tree_hash
from olist_pipeline.intake.span import as_of
from olist_pipeline.months import FIRST_MONTH
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.settings import DBT, DBT_DIR, Settings
from olist_pipeline.warehouse import NEW, OLD, REPLAY, await_free, load_manifest

FOLDER = {OLD: "olist.old", REPLAY: "olist.old", NEW: "olist.new"}
TARGET = {OLD: "warehouse", REPLAY: "replay", NEW: "warehouse"}
POOL = "duckdb"


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
    state = tree_hash(DBT_DIR / "models", DBT_DIR / "macros", DBT_DIR / "tests", suffixes=(".sql", ".yml"))
    if manifest.exists() and stamp.exists() and stamp.read_text("utf-8") == state:
        return manifest
    _parse(settings)
    with replacing(stamp) as temporary:
        temporary.write_text(state, "utf-8")
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


def build_arguments(tree: str, as_of: date) -> list[str]:
    """Return the arguments of the dbt invocation that builds one tree.

    Old and new are tested as they are built. Replay is not: its tests are old's. dbt's unit tests speak of
    the SQL, not of the data; they belong to the tests of the project.
    """
    command = ["run"] if tree == REPLAY else ["build", "--exclude-resource-type", "unit_test"]
    return [*command, "--target", TARGET[tree], "--vars", _variables(as_of)]


def tree_assets(settings: Settings, manifest: Path, retired: Collection[str] = ()) -> list[dg.AssetsDefinition]:
    """Return the assets of the three trees, without the old and replay tables that only `retired` contexts had.

    Once nobody needs an old table, there is only the new tree.
    """
    parsed = load_manifest(manifest)
    waiting, dropped = waiting_models(parsed), retired_models(parsed, retired)
    kept = any(_is_old_model(node) and node["name"] not in dropped for node in parsed["nodes"].values())
    without = " ".join([waiting, *dropped]).strip()
    excluded = {OLD: without, REPLAY: without, NEW: waiting}
    return [_tree(tree, settings, manifest, excluded[tree]) for tree in ((OLD, REPLAY, NEW) if kept else (NEW,))]


def _tree(tree: str, settings: Settings, manifest: Path, waiting: str) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=f"dbt_{tree}",
        select=f"fqn:{FOLDER[tree]}",
        exclude=waiting,
        dagster_dbt_translator=TreeTranslator(tree),
        pool=POOL,
    )
    def build(context: dg.AssetExecutionContext, dbt: DbtCliResource, pipeline: PipelineResource) -> Iterator[Any]:
        with clear_failures():
            last_purchase = as_of(pipeline.settings.landing)
            await_free(pipeline.settings.warehouse)
        target_path = settings.dbt_target / f"run_{TARGET[tree]}"
        yield from dbt.cli(build_arguments(tree, last_purchase), context=context, target_path=target_path).stream()

    return build


def _context(node: Mapping[str, Any]) -> str | None:
    context: str | None = (node["config"].get("meta") or {}).get("context")
    return context


def _is_old_model(node: Mapping[str, Any]) -> bool:
    return bool(node["resource_type"] == "model" and node["fqn"][1] == OLD)


def _variables(as_of: date) -> str:
    return json.dumps({"as_of": as_of.isoformat()})


def _parse(settings: Settings) -> None:
    """Run `dbt parse`; raises OlistError with dbt's own words when the project does not parse."""
    # With `as_of` given, no model depends on landing for the sake of a date.
    paths = ["--target-path", str(settings.dbt_target / OLD), "--log-path", str(settings.dbt_target / "logs")]
    command = ["parse", "--profiles-dir", str(DBT_DIR), *paths]
    result = subprocess.run(
        [str(DBT), "--quiet", *command, "--vars", _variables(FIRST_MONTH)],
        cwd=DBT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise OlistError(f"dbt cannot parse {DBT_DIR}: {(result.stdout or result.stderr).strip()[-2000:]}")
