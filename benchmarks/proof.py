"""The full proof of a home: every row and event once, old and new agreed, journal and routes agreed.

What belongs here: what a home holds, and what is wrong with it. What does not: bringing a home into that state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from olist_pipeline.parity.attribution import parity_subject
from olist_pipeline.parity.reconciliation import (
    IntakeReconciliation,
    Reconciliation,
    intake_reconciliation_of,
    reconciliation_of,
)
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.release_manifest import DATABASE, Route
from olist_pipeline.serving import journal
from olist_pipeline.serving.gate import objections
from olist_pipeline.serving.release import current_release
from olist_pipeline.serving.release_checks import release_problems
from olist_pipeline.settings import Settings
from olist_pipeline.stores import routes
from olist_pipeline.stores.postgres import query
from olist_pipeline.stores.schema import ready_url
from olist_pipeline.tablediff.fingerprint import fingerprint
from olist_pipeline.warehouse import load_manifest, reading, warehouse_tables

Outcome = dict[str, Any]

_QUARANTINE = "SELECT source_table, source_row, rules, payload::text FROM data_quality.quarantine ORDER BY 1, 2"
_EVENTS = "SELECT event_id::text, version FROM event_store.domain_events ORDER BY aggregate_type, aggregate_id, version"


def outcome_of(settings: Settings) -> Outcome:
    """Return what a run leaves: every table, row and event, without runs and times of recording."""
    url = ready_url(settings)
    return {
        "warehouse": _contents(settings.warehouse),
        "serving": _contents(settings.serving / "current" / DATABASE),
        "staging": {
            str(path.relative_to(settings.staging)): pl.read_parquet(path).rows()
            for path in sorted(settings.staging.rglob("*.parquet"))
        },
        "quarantine": [tuple(row.values()) for row in query(url, _QUARANTINE)],
        "events": [tuple(row.values()) for row in query(url, _EVENTS)],
    }


def problems_of(settings: Settings, undisturbed: Outcome, *, same_release: bool) -> list[str]:
    """Return what is wrong with a home that should be as an undisturbed one; nothing where nothing is.

    `same_release`: serving shows the same rows, too; otherwise it was switched, and is held against its own routes.
    """
    url = ready_url(settings)
    return [
        *_reconciliation(settings, url),
        *_gate(settings, url),
        *_routes(settings, url),
        *_differences(outcome_of(settings), undisturbed, same_release=same_release),
    ]


def _reconciliation(settings: Settings, url: str) -> list[str]:
    staged = [table for moved in CONTEXTS.values() for table in moved.tables]
    ledgers: list[Reconciliation | IntakeReconciliation] = [
        *(intake_reconciliation_of(settings, table) for table in LANDING.values()),
        *(reconciliation_of(settings, url, table) for table in staged),
    ]
    return [ledger.sentence() for ledger in ledgers if not ledger.holds]


def _gate(settings: Settings, url: str) -> list[str]:
    """Return what the gate says of the warehouse: verdicts that are missing, red, or of other rows than are there."""
    tables = warehouse_tables(load_manifest(settings.dbt_target / "old" / "manifest.json"))
    with reading(settings.warehouse) as connection:
        wanted: dict[str, Route] = dict.fromkeys(CONTEXTS, "new")
        return objections(settings, url, tables, wanted, lambda table: parity_subject(connection, table))


def _routes(settings: Settings, url: str) -> list[str]:
    """Return where the journal, PostgreSQL and the release disagree, and what the release is not that it should be."""
    release = current_release(settings.serving)
    if release is None:
        return ["nothing is served"]
    journal.bring_to_database(settings.serving, url)
    said, recorded = journal.present_state(settings.serving).routes, routes.read_routes(url, CONTEXTS)
    acts = Counter(act.act_id for act in journal.done_acts(settings.serving))
    known = Counter(act.act_id for act in routes.recorded_acts(url))
    with duckdb.connect(str(settings.serving / "current" / DATABASE), read_only=True) as connection:
        found = release_problems(connection, release)
    if said != recorded:
        found.append(f"the journal says {said}, PostgreSQL {recorded}")
    if acts != known or max(acts.values(), default=1) > 1:
        found.append(f"the journal has {sum(acts.values())} acts, PostgreSQL {sum(known.values())}")
    served = {context: route in ("new", "retired") for context, route in release.routes.items()}
    if served != {context: route in ("new", "retired") for context, route in said.items()}:
        found.append(f"release {release.number} serves {release.routes}, the journal says {said}")
    return found


def _differences(found: Outcome, wanted: Outcome, *, same_release: bool) -> list[str]:
    said = []
    for part in ("quarantine", "events"):
        here, there = Counter(map(repr, found[part])), Counter(map(repr, wanted[part]))
        lost, more = (there - here).total(), (here - there).total()
        said += [f"{part}: {lost} lost, {more} too many"] if lost or more else []
    for part in ("warehouse", "staging", *(["serving"] if same_release else [])):
        said += [f"{part}: {', '.join(names[:5])} differ"] if (names := _unequal(found[part], wanted[part])) else []
    return said


def _unequal(found: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def _contents(database: Path) -> dict[str, str]:
    """Return the fingerprint of every table, or of every view of a database that shows tables by views."""
    with duckdb.connect(str(database), read_only=True) as connection:
        kind = "VIEW" if database.name == DATABASE else "BASE TABLE"
        names = connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_type = $1 AND table_schema NOT IN ('information_schema', 'pg_catalog') "
            "AND ($1 = 'BASE TABLE' OR table_schema = 'main') ORDER BY 1",
            [kind],
        ).fetchall()
        return {name: fingerprint(connection, name).digest for (name,) in names}
