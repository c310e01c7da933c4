"""Asset keys of dbt's nodes: the tree, then the name of the relation; and what each node depends on in the graph.

What belongs here: how dagster-dbt translates a node, a source or a test of the two projects. What does not: which nodes
are built, and when (`dbt`), the tests themselves (dbt's YAML and `dbt/tests/generic`), and their results
(`dbt_results`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from olist_pipeline.migration.model import NEW, OLD, REPLAY, Migration
from olist_pipeline.migration.project import context_of_new, context_of_old, landing_file
from olist_pipeline.orchestration.graph_names import group_of, relation_key
from olist_pipeline.orchestration.intake import landing_key
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.registry import LANDING

Arguments = Mapping[str, Any]


class TreeTranslator(DagsterDbtTranslator):
    """Asset keys of one tree: the tree, then the name of the relation, as dashboards know it where they do."""

    def __init__(self, tree: str, migration: Migration, names: Mapping[str, tuple[str, ...]]) -> None:
        # Replay reads what validation accepted, and so do the new models: one asset, two dbt sources.
        super().__init__(
            DagsterDbtTranslatorSettings(
                enable_asset_checks=tree != REPLAY,
                enable_duplicate_source_asset_keys=True,
                enable_source_metadata=False,
                enable_code_references=True,
            )
        )
        self.tree, self.migration, self.names = tree, migration, names

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """See `DagsterDbtTranslator.get_asset_spec`."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        if sql := props.get("raw_code"):
            spec = spec.merge_attributes(metadata={"sql": dg.MetadataValue.md(f"```sql\n{sql}\n```")})
        if props["resource_type"] == "source":
            return spec.replace_attributes(key=self._source_key(props, spec.key))
        if self.tree == NEW:
            return spec.replace_attributes(
                key=relation_key(NEW, props["alias"]), group_name=group_of(context_of_new(props))
            )
        key = relation_key(self.tree, *self.names.get(unique_id, (props["name"],)))
        deps = spec.deps if _reads_relations(props) else [*spec.deps, *self._landing()]
        if file := landing_file(props, self.migration):
            deps = [dg.AssetDep(self._file_key(table.name)) for table in LANDING.values() if table.file == file]
        return spec.replace_attributes(key=key, group_name=group_of(context_of_old(props, self.migration)), deps=deps)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the first thing that a list shows of an asset: what the model says of itself, without its SQL."""
        said = str(dbt_resource_props.get("description") or "").strip()
        return said or f"dbt {dbt_resource_props['resource_type']} {dbt_resource_props['name']}"

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """See `DagsterDbtTranslator.get_asset_check_spec`; every check says what it proves."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=_said_of(self.get_resource_props(manifest, unique_id)))

    def _landing(self) -> list[dg.AssetDep]:
        """Return all that may be in landing: a model without sources may read any file of it."""
        return [dg.AssetDep(self._file_key(table)) for table in LANDING]

    def _source_key(self, props: Mapping[str, Any], key: dg.AssetKey) -> dg.AssetKey:
        landing = self._landing_table(props, key)
        if self.tree == NEW or landing is None:
            return key
        return self._file_key(landing)

    def _file_key(self, table: str) -> dg.AssetKey:
        """Return the key of what a tree of old's SQL reads as a landing table: its file, or its accepted rows."""
        return landing_key(table) if self.tree == OLD else staging_key(LANDING[table].context, table)

    def _landing_table(self, props: Mapping[str, Any], key: dg.AssetKey) -> str | None:
        """Return the landing table that a source of old is: its YAML says so, or the migration file does."""
        if key.path[0] == "landing" and key.path[-1] in LANDING:
            return str(key.path[-1])
        name = f"{props['source_name']}.{props['name']}"
        files = [file for file, said in self.migration.landing.files.items() if said.source == name]
        return next((table.name for table in LANDING.values() if table.file in files), None)


def _reads_relations(node: Mapping[str, Any]) -> bool:
    """Whether a node of old reads other nodes or sources: else what it reads is in its SQL, or nothing."""
    return node["resource_type"] == "seed" or bool(node["depends_on"]["nodes"])


def _said_of(props: Mapping[str, Any]) -> str:
    """Return what a test proves; `props` is its node of the manifest.

    A description of its own wins. A test that nobody has words for is called by its name and arguments.
    """
    if written := str(props.get("description") or "").strip():
        return written
    generic = props.get("test_metadata") or {}
    name = str(generic.get("name") or props["name"])
    arguments = {key: value for key, value in (generic.get("kwargs") or {}).items() if key != "model"}
    column = str(arguments.get("column_name") or props.get("column_name") or "")
    sentence = _SENTENCES[name](column, arguments) if name in _SENTENCES else _by_name(name, column, arguments)
    severity = str(props["config"].get("severity") or "error").lower()
    return f"{sentence} It warns, and stops nothing." if severity == "warn" else sentence


def _by_name(name: str, column: str, arguments: Arguments) -> str:
    listed = ", ".join(f"{key} {value}" for key, value in arguments.items() if key != "column_name")
    about = f" of {column}" if column else ""
    return f"{name.replace('_', ' ').capitalize()}{about}{f': {listed}' if listed else ''}."


def _relationship(column: str, arguments: Arguments) -> str:
    other = str(arguments.get("to")).removeprefix("ref('").removesuffix("')")
    return f"Every {column} that is not null is a {arguments.get('field')} of {other}."


def _accepted(column: str, arguments: Arguments) -> str:
    return f"{column} is one of: {', '.join(map(str, arguments.get('values') or ()))}."


_SENTENCES: dict[str, Callable[[str, Arguments], str]] = {
    "not_null": lambda column, _: f"{column} has a value in every row.",
    "unique": lambda column, _: f"No {column} is there twice.",
    "relationships": _relationship,
    "accepted_values": _accepted,
    "unique_combination": lambda _, said: f"No combination of {', '.join(said['columns'])} is there twice.",
    "adds_up": lambda column, said: f"{column} is the exact sum of {said['part']} by {said['key']}.",
    "always_is": lambda column, said: f"{column} is {said['value']} in every row.",
    "matches": lambda column, said: f"{column} is wholly of the pattern {said['pattern']}.",
    "within": lambda column, said: f"{column} lies between {said['least']} and {said['greatest']}, both included.",
    "not_negative": lambda column, _: f"{column} is never below 0.",
}
