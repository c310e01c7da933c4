"""Results of dbt: what its events say beside what dagster-dbt makes of them.

What belongs here: row counts of the tables that an invocation made, and the sentences of a test that failed and of an
invocation that was refused. What does not: invoking dbt (`dbt_build`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from olist_pipeline.landing.parts import folder_name
from olist_pipeline.migration.model import OLD, REPLAY
from olist_pipeline.migration.proof import refusal
from olist_pipeline.orchestration.graph_names import relation_of_key
from olist_pipeline.orchestration.internals.dbt_cli import refuse_interrupted
from olist_pipeline.orchestration.resources import clear_failures
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.tablediff.sql import relation_name
from olist_pipeline.warehouse import reading

NOT_RUN = ("error", "skipped")
FAILED_ROWS = "dagster_dbt/failed_row_count"

_NO_FILE = re.compile(r'No files found that match the pattern "([^"]+)"')
_NO_TABLE = re.compile(r"Table with name (.+) does not exist!")
"""What DuckDB says of what a query reads."""


class Bringing(NamedTuple):
    """What follows the end of dbt: `alone` is the block in which the warehouse may be opened.

    `bring` brings what dbt made, by name, into the warehouse, unless it is there.
    """

    alone: Callable[[], AbstractContextManager[None]]
    bring: Callable[[Set[str]], None] | None = None


def events_of(
    events: Iterable[Any],
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    warehouse: Path,
    target: Path,
    bringing: Bringing,
    *,
    counts_views: bool = False,
) -> Iterator[Any]:
    """Yield dbt's events, its tables with their row counts and its failed tests with a sentence.

    After dbt's end, for until then nobody else may read the warehouse; then raise what dbt failed with. `target` is the
    invocation's folder of artifacts. `counts_views` is for views of Parquet, which has its number of rows beside the
    rows: those of Spark's tables. An interrupted run fails at once: what dbt did is made again, and to bring it would
    take the longer the more there is.
    """
    seen, failure = list[Any](), None
    try:
        # Of a test that another run asks for, and dbt runs along, dagster-dbt makes an observation of an asset by dbt's
        # own name, which the graph does not have: the UI would list it.
        seen.extend(event for event in events if not isinstance(event, dg.AssetObservation))
    except Exception as error:
        failure = error
    refuse_interrupted()
    made = [event for event in seen if isinstance(event, dg.Output)]
    keys = {id(event): context.asset_key_for_output(event.output_name) for event in made}
    with clear_failures(), bringing.alone():
        if bringing.bring:
            bringing.bring({relation_of_key(key)[-1] for key in keys.values()})
        counts = _row_counts(warehouse, set(keys.values()), counts_views=counts_views)
    for event in seen:
        key = keys.get(id(event))
        if key in counts:
            yield event.with_metadata({**event.metadata, "dagster/row_count": counts[key]})
        elif isinstance(event, dg.AssetCheckResult) and not event.passed:
            yield event._replace(description=sentence_of_test(event.metadata, manifest, target))
        else:
            yield event
    if failure is not None:
        raise failure


def happened(events: Iterator[Any], tree: str, settings: Settings, names: Collection[str]) -> Iterator[Any]:
    """Yield what dbt did for a tree that has relations of these names; a failed test of old is a warning."""
    with refusals(tree, settings, names):
        for event in events:
            if tree == OLD and isinstance(event, dg.AssetCheckResult) and not event.passed:
                yield event._replace(severity=dg.AssetCheckSeverity.WARN)
            else:
                yield event


@contextmanager
def refusals(tree: str, settings: Settings, names: Collection[str]) -> Iterator[None]:
    """Say in a sentence what DuckDB refused replay in the block, and what a run over some assets needs of others."""
    try:
        yield
    except Exception as error:
        said = refusal(str(error)) if tree == REPLAY else ""
        if said := said or unmade(str(error), tree, settings, names):
            raise dg.Failure(said, allow_retries=False) from None
        raise


def unmade(error: str, tree: str, settings: Settings, names: Collection[str]) -> str:
    """Return the sentence for an error of dbt over what no step has made yet; nothing for another error.

    `names` are those of the tree's relations.
    """
    needed = ""
    if found := _NO_FILE.search(error):
        path = Path(found[1])
        if path.is_relative_to(settings.staging):
            needed = "/".join(path.relative_to(settings.staging).parts[:2])
        elif path.is_relative_to(settings.replay_landing):
            landed = path.relative_to(settings.replay_landing).parts[0]
            owned = (table for table in LANDING.values() if landed in (table.file, folder_name(table)))
            needed = next((table.asset for table in owned), "")
        if needed:
            return f"dbt {tree} reads {needed}, and staging of it is empty; materialise {needed} first."
    if (found := _NO_TABLE.search(error)) and found[1] in names:
        return f"dbt {tree} reads {tree}/{found[1]}, which has not been made; materialise it first, or run `olist run`."
    return ""


def sentence_of_test(metadata: Mapping[str, Any], manifest: Mapping[str, Any], target: Path) -> str:
    """Return what a failed test says: its name, model and column, the rows that fail, and the query that shows them."""
    node = manifest["nodes"][metadata["unique_id"].value]
    test = node.get("test_metadata") or {}
    column = (test.get("kwargs") or {}).get("column_name")
    model = manifest["nodes"].get(node.get("attached_node"), {})
    where = f"{model.get('schema', '')}.{model.get('alias', '')}".strip(".") or ", ".join(node["depends_on"]["nodes"])
    rows = metadata[FAILED_ROWS].value if FAILED_ROWS in metadata else None
    status = metadata["status"].value if "status" in metadata else ""
    fails = f"fails for {rows:,} row{'s' * (rows != 1)}" if isinstance(rows, int) else f"has {status}"
    if status in NOT_RUN:  # dbt counts no rows of these, and says 0
        fails = f"did not come to its end ({status})"
    query = target / "compiled" / node["package_name"] / node["original_file_path"] / f"{node['name']}.sql"
    shown = (
        f"{query} selects them"
        if query.exists() and status not in NOT_RUN
        else "logs/run.log below OLIST_HOME has more"
    )
    return f"dbt's test {test.get('name', node['name'])} of {where}{f'.{column}' if column else ''} {fails}; {shown}."


def _row_counts(
    warehouse: Path, keys: set[dg.AssetKey], *, counts_views: bool = False
) -> dict[dg.AssetKey | None, int]:
    """Return the rows of those of `keys` that are tables; a view may have to read all of its files."""
    if not warehouse.exists():
        return {}
    with reading(warehouse) as connection:
        views = " UNION ALL SELECT schema_name, view_name FROM duckdb_views()" if counts_views else ""
        tables = connection.execute(f"SELECT schema_name, table_name FROM duckdb_tables(){views}").fetchall()
        present = [key for key in sorted(keys) if relation_of_key(key) in tables]
        counted = {key: f"SELECT count(*) FROM {relation_name(*relation_of_key(key))}" for key in present}
        return {key: connection.execute(statement).fetchall()[0][0] for key, statement in counted.items()}
