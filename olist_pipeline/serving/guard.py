"""The guard: takes a context back to old when what it serves from new has regressed.

What belongs here: finding regressions of what is served, and answering them with a rollback and an alert. What does
not: proving anything (parity and conservation are read as they are stored), and rollbacks by people.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.fingerprint import landing_hashes
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving.audit import dashboard_queries, failing_queries
from olist_pipeline.serving.release import DATABASE, Release, current_release
from olist_pipeline.serving.routing import NEW
from olist_pipeline.serving.switch import Switched, rollback
from olist_pipeline.settings import Settings
from olist_pipeline.steps import landing_hash_of
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.routes import SERVED_FROM_NEW

GUARD = "guard"
"""The name under which the history keeps what the guard did."""
ALERTS = "olist_pipeline.alerts"

_log = logging.getLogger("olist.guard")


@dataclass(frozen=True)
class Regression:
    """What has got worse for one context that is served from new, a sentence each."""

    context: str
    reasons: tuple[str, ...]


def guard(settings: Settings, url: str, now: datetime) -> list[Switched]:
    """Roll back every context on new that has regressed, raise an alert for each, and block it; return what was done.

    A retired context has no way back: it is told of alone. Running again does nothing more.
    """
    done = []
    for regression in regressions(settings, url, now):
        reason = "; ".join(regression.reasons)
        route = journal.present_state(settings.serving).routes[regression.context]
        if route != "new":
            how = "is retired" if route == "retired" else "went back to old with another context"
            _alert(settings, regression, f"{regression.context} {how} and has regressed: {reason}.")
            continue
        try:
            switched = rollback(settings, regression.context, by=GUARD, reason=reason, blocks=True)
        except OlistError as error:
            _alert(settings, regression, f"{regression.context} has regressed ({reason}); no rollback: {error}")
            continue
        done.append(switched)
        mended = f"`olist acknowledge {regression.context} --reason ...` once it is mended"
        text = f"{regression.context} was rolled back to old: {reason}. {mended}."
        _alert(settings, regression, text)
    if done:
        journal.bring_to_database(settings.serving, url)
        standby.prepare(settings.serving)
    return done


def guarded_contexts(settings: Settings, url: str) -> list[str]:
    """Run the guard after a run; return the contexts that it rolled back."""
    return [change.context for done in guard(settings, url, datetime.now(UTC)) for change in done.act.changes]


def regressions(settings: Settings, url: str, now: datetime) -> list[Regression]:
    """Return what has regressed of what is served from new: parity, conservation, freshness, a dashboard's query."""
    release = current_release(settings.serving)
    if release is None:
        return []
    routes = journal.present_state(settings.serving).routes
    served = [context for context, route in routes.items() if route in SERVED_FROM_NEW and context in CONTEXTS]
    if not served:
        return []
    found: dict[str, list[str]] = {context: [] for context in served}
    for context, reason in [
        *_red_verdicts(url, routes),
        *_late_tables(settings, served, now),
        *_failing_dashboards(settings.serving, release),
    ]:
        if context in found:
            found[context].append(reason)
    return [Regression(context, tuple(reasons)) for context, reasons in found.items() if reasons]


def _red_verdicts(url: str, routes: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for comparison in ("parity", "conservation"):
        for verdict in verdicts.latest(url, comparison, whole=False).values():
            # What a retired context was compared with is not built any more: its last verdict says nothing.
            if not verdict.is_green and not (comparison == "parity" and routes.get(verdict.context) == "retired"):
                yield verdict.context, f"{comparison} of {verdict.table} {verdict.verdict} (run {verdict.run_id})"


def _late_tables(settings: Settings, contexts: Iterable[str], now: datetime) -> Iterable[tuple[str, str]]:
    """Tell the tables whose rows were made of other landing files than those that have been there for too long."""
    present, limit = landing_hashes(settings), timedelta(hours=settings.cutover.freshness_hours)
    for context in contexts:
        for source in dict.fromkeys(table.source.name for table in CONTEXTS[context].tables if table.source):
            if source not in present or _made_of(settings, source) == present[source]:
                continue
            path = readable_landing(settings, [LANDING[source]]) / LANDING[source].file
            arrived = datetime.fromtimestamp(path.stat().st_mtime, tz=now.tzinfo)
            if now - arrived > limit:
                yield context, f"{path.name} has been there since {arrived:%Y-%m-%d %H:%M} and is not read yet"


def _made_of(settings: Settings, source: str) -> str:
    try:
        return landing_hash_of(settings, source)
    except OSError:
        return ""


def _failing_dashboards(serving: Path, release: Release) -> Iterable[tuple[str, str]]:
    with duckdb.connect(str((serving / "current").resolve() / DATABASE), read_only=True) as connection:
        failing = failing_queries(connection)
    queries = dashboard_queries()
    for name, why in failing.items():
        tables = (release.tables[table] for table in queries[name].tables if table in release.tables)
        for context in sorted({table["context"] for table in tables if table["schema"] == NEW}):
            yield context, f"the dashboard query {name} fails ({why})"


def _alert(settings: Settings, regression: Regression, text: str) -> None:
    """Tell people: in the log, and by the project's alerts where they are installed."""
    _log.error("%s", text)
    try:
        alerts = importlib.import_module(ALERTS)
    except ModuleNotFoundError:
        return
    key = f"{regression.context}: {'; '.join(regression.reasons)}"
    alerts.send(settings, alerts.Alert("context_regressed", key, text, details={"reasons": list(regression.reasons)}))
