"""Trees of dbt's models on Spark: the profile with which dbt builds one, and its Parquet tables in the warehouse.

What belongs here: which trees are built on Spark, where their tables lie, and showing them in the warehouse, where all
that reads it finds them as it finds DuckDB's. What does not: running dbt (`orchestration.dbt_build`), and the SQL that
both engines understand (dbt/macros).

Each tree has a folder of its own, with its tables and the catalog that names them: nothing of one tree is known to
another, and a tree begins anew when its folder is removed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import yaml

from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing
from olist_pipeline.migration.model import NEW, OLD, REPLAY, Migration
from olist_pipeline.migration.profiles import WrittenProfile, landing_of_spark, reach
from olist_pipeline.migration.project import DbtNode, project_settings
from olist_pipeline.months import MONTH
from olist_pipeline.paths import duckdb_path
from olist_pipeline.settings import Settings
from olist_pipeline.spark.reads import ReadLog, refusal_of
from olist_pipeline.spark.requirements import address_here, is_remote
from olist_pipeline.tablediff.sql import literal, quote, relation_name

TARGET = "spark"
AS_PARQUET = "landing_as_parquet"
"""The macro by which DuckDB writes landing for Spark, which reads CSV otherwise."""
_FILE = "file_of_spark"
LANDING_VARIABLE = "OLIST_LANDING_PARQUET"
"""The environment variable that names the folder of landing as Parquet."""


def is_on_spark(settings: Settings, migration: Migration, tree: str) -> bool:
    """Whether a tree is built on Spark: where that is the engine, and its project says that it can be.

    A server of Spark Connect has a catalog and folders of its own; there the trees stay on DuckDB.
    """
    project = migration.new if tree == NEW else migration.old
    return settings.engine == "spark" and project.spark and not is_remote(settings.spark_master)


def lacking(manifest: DbtNode) -> str:
    """Return what the old project lacks for Spark to build it, by its manifest; '' where it has it."""
    if AS_PARQUET in {macro["name"] for macro in manifest.get("macros", {}).values()}:
        return ""
    return (
        f"old.spark is true, and the old project has no macro {AS_PARQUET}, which writes landing for Spark "
        "(docs/cluster.md says what a project needs); add it, or take `spark` out"
    )


def folder_of(settings: Settings, tree: str) -> Path:
    """Return the folder of a tree's tables."""
    return settings.on_spark / tree


def reads_of_replay(settings: Settings) -> ReadLog:
    """Return the log of what Spark reads for replay."""
    return ReadLog(folder_of(settings, REPLAY) / "reads")


def refusal_on_spark(settings: Settings, migration: Migration) -> str:
    """Return the sentence for what replay read that is neither accepted rows nor allowed; nothing where it did not.

    Raises OlistError where Spark did not say all of it.
    """
    reached = reach(settings, migration)
    allowed = [folder_of(settings, REPLAY).resolve(), *map(Path, reached["folders"]), *map(Path, reached["files"])]
    return refusal_of(reads_of_replay(settings).elsewhere(allowed))


def name_on_spark(tree: str, node: DbtNode) -> str:
    """Return how queries of a tree on Spark name a node or a source of the manifest, which was parsed for DuckDB."""
    schema = tree if tree == REPLAY and node["schema"] == OLD else node["schema"]
    return f"{schema}.{node['alias'] if 'alias' in node else node['identifier']}"


def write_spark_profile(settings: Settings, migration: Migration, tree: str) -> WrittenProfile:
    """Write the profiles.yml with which dbt builds a tree on Spark."""
    folder = settings.dbt_target / "profiles" / f"{tree}_on_spark"
    project = migration.new_folder if tree == NEW else migration.old_folder
    name = project_settings(project).get("profile") or "olist"
    with replacing(folder / "profiles.yml") as temporary:
        profile = {name: {"target": TARGET, "outputs": {TARGET: _output(settings, migration, tree)}}}
        temporary.write_text(yaml.safe_dump(profile), "utf-8")
    return WrittenProfile(folder, name, TARGET)


def _output(settings: Settings, migration: Migration, tree: str) -> dict[str, Any]:
    folder = folder_of(settings, tree)
    # Where a project holds more than the new models, these name their schema themselves, and the others have another.
    is_all_of_one = tree != NEW or not migration.new.folder
    return {
        "type": "spark",
        "method": "session",
        "host": "localhost",
        "schema": tree if is_all_of_one else OLD,
        "threads": 2,
        "server_side_parameters": {
            "spark.app.name": f"olist dbt {tree}",
            "spark.master": settings.spark_master,
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.warehouse.dir": str(folder),
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'catalog'};create=true",
            # Moments have no time zone, as in DuckDB.
            "spark.sql.timestampType": "TIMESTAMP_NTZ",
            "spark.sql.session.timeZone": "UTC",
            **(reads_of_replay(settings).configuration() if tree == REPLAY else {}),
        },
    }


def environment_of_spark(settings: Settings, tree: str) -> dict[str, str]:
    """Return what the environment of dbt has besides where it builds a tree on Spark.

    What Spark and its catalog say for themselves goes to files: dbt's own output is read event by event, and nothing is
    written into a project.
    """
    log, logs = settings.dbt_target / "profiles" / f"{tree}_on_spark" / "log.properties", settings.home / "logs"
    with replacing(log) as temporary:
        # Java reads such a file as Latin-1.
        text = _LOG.format(file=_in_properties(logs / "spark.log"))
        temporary.write_text(text, "ascii")
    derby = str(logs / "derby.log").replace('"', '\\"')
    own = f'-Dlog4j2.configurationFile={log.as_uri()} "-Dderby.stream.error.file={derby}"'
    options = f"{os.environ.get('SPARK_SUBMIT_OPTS', '')} {own}".strip()
    at = address_here(settings.spark_master)
    return {LANDING_VARIABLE: str(landing_of_spark(settings, tree)), "SPARK_SUBMIT_OPTS": options, **at}


_LOG = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %c: %m%n%ex
"""


def _in_properties(path: Path) -> str:
    """Return a path as log4j reads it in a file of properties: it looks up what stands in `${}`."""
    text = str(path).replace("${", "$${")
    units = text.encode("utf-16-be")
    characters = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(one) if 32 <= one < 127 else f"\\u{one:04x}" for one in characters)


_ID = re.compile(r"spark\.app\.id is ([\w.-]+)")
"""How the project says the application, once it is there (`sources_as_views` of its macros): dbt starts and ends it."""


def application_of(master: str, target: Path) -> dict[str, str]:
    """Return where the last invocation with the folder of artifacts `target` worked: its master, and its application.

    Without the latter where the project does not say it.
    """
    found: list[str] = []
    with suppress(OSError):
        found = _ID.findall((target / "dbt.log").read_text("utf-8", "replace"))
    return {"spark_master": master, **({"spark_application": found[-1]} if found else {})}


def show(settings: Settings, tree: str, nodes: Mapping[str, DbtNode]) -> None:
    """Show the Parquet tables that dbt made of `nodes`, by name, as views of a tree's schema in the warehouse.

    Raises OlistError for a table that is not there.
    """
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(tree)}")
        for name, node in nodes.items():
            rows, target = _rows(folder_of(settings, tree) / f"{tree}.db", node), relation_name(tree, name)
            make_room(connection, "VIEW", tree, name)
            try:
                connection.execute(f"CREATE OR REPLACE VIEW {target} AS {rows}")
            except duckdb.Error as error:
                why = str(error).splitlines()[0]
                raise OlistError(f"{node['alias']} of the {tree} tables on Spark cannot be read: {why}.") from error


def make_room(connection: duckdb.DuckDBPyConnection, kind: str, *name: str) -> None:
    """Drop what has a name, schema and catalog first, where it is not of the kind (TABLE or VIEW) that is to come.

    Another engine made it: the trees of DuckDB are tables, those of Spark views.
    """
    other = {"TABLE": "VIEW", "VIEW": "TABLE"}[kind]
    found = connection.execute(
        f"SELECT count(*) FROM duckdb_{other.lower()}s() WHERE {other.lower()}_name = $name AND schema_name = $schema "
        "AND database_name = coalesce($catalog, current_database())",
        {"name": name[-1], "schema": name[-2], "catalog": name[-3] if name[2:] else None},
    ).fetchone()
    if found and found[0]:
        connection.execute(f"DROP {other} {relation_name(*name)}")


def _rows(folder: Path, node: DbtNode) -> str:
    """Return the query of a table's rows; a table by month is a folder a month, whose name has it.

    No other folder is asked: one above OLIST_HOME may be called like a column, too.
    """
    is_monthly = node["config"]["materialized"] == "incremental"
    files = duckdb_path(folder / node["alias"], "*/*.parquet" if is_monthly else "*.parquet")
    month = f"CAST(regexp_extract({_FILE}, '/{MONTH}=([^/]*)/[^/]*$', 1) AS DATE) AS {quote(MONTH)}"
    named = ", ".join(month if is_monthly and name == MONTH else quote(name) for name in node["columns"])
    every = f"* EXCLUDE ({_FILE}), {month}" if is_monthly else f"* EXCLUDE ({_FILE})"
    return (
        f"SELECT {named or every} FROM "
        f"read_parquet({literal(files)}, hive_partitioning = false, filename = {literal(_FILE)})"
    )
