"""The guard: takes a context back to old when what it serves from new has regressed.

What belongs here: finding regressions of what is served, and answering them with a rollback and an alert. What does
not: proving anything (parity and reconciliation are read as they are stored), and rollbacks by people.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from olist_pipeline import alerts
from olist_pipeline.errors import OlistError
from olist_pipeline.files import there_since
from olist_pipeline.landing.folder import files_of, readable_landing
from olist_pipeline.landing.packed import called, landed
from olist_pipeline.provenance import landing_hashes
from olist_pipeline.registry import CONTEXTS, LANDING
from olist_pipeline.release_manifest import DATABASE, NEW, Release, Route
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving.release import current_release
from olist_pipeline.serving.release_checks import failing_queries, unchecked
from olist_pipeline.serving.rollback import rollback
from olist_pipeline.serving.switch import Switched
from olist_pipeline.settings import Settings
from olist_pipeline.steps import landing_hash_of
from olist_pipeline.stores import verdicts
from olist_pipeline.stores.routes import SERVED_FROM_NEW

GUARD = "guard"
"""The name under which the history keeps what the guard did."""

_log = logging.getLogger("olist.guard")


@dataclass(frozen=True)
class Regression:
    """What has got worse for one context that is served from new, a sentence each."""

    context: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Guarded:
    """What the guard did, and in `problems` a sentence for each thing that it could not mend or not even look at."""

    done: tuple[Switched, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def rolled_back(self) -> list[str]:
        """The contexts that it rolled back."""
        return [change.context for done in self.done for change in done.act.changes]


def guard(settings: Settings, url: str, now: datetime) -> Guarded:
    """Roll back every context on new that has regressed, block it, and raise an alert for all that is not well.

    A retired context has no way back: it is only reported. What cannot be checked is no regression, and takes nothing
    back, but nobody may think that it was checked. Running again does nothing more.
    """
    done, problems = [], _blind_spots(settings)
    for regression in regressions(settings, url, now):
        reason = "; ".join(regression.reasons)
        route = journal.present_state(settings.serving).routes[regression.context]
        if route != "new":
            how = "is retired" if route == "retired" else "went back to old with another context"
            _alert(settings, regression, f"{regression.context} {how} and has regressed: {reason}.", "olist parity")
            continue
        try:
            switched = rollback(settings, regression.context, by=GUARD, reason=reason, blocks=True)
        except OlistError as error:
            problems.append(f"{regression.context} has regressed ({reason}); no rollback: {error}")
            _alert(settings, regression, problems[-1], f"olist rollback {regression.context}")
            continue
        done.append(switched)
        command = f"olist acknowledge {regression.context} --reason ..."
        text = f"{regression.context} was rolled back to old: {reason}. `{command}` once it is mended."
        _alert(settings, regression, text, command)
    if done:
        journal.bring_to_database(settings.serving, url)
        standby.prepare(settings.serving)
    return Guarded(tuple(done), tuple(problems))


def guard_now(settings: Settings, url: str) -> Guarded:
    """Run the guard as of now, as it is done after every run."""
    return guard(settings, url, datetime.now(UTC))


def regressions(settings: Settings, url: str, now: datetime) -> list[Regression]:
    """Return what has regressed of what is served from new: parity, reconciliation, freshness, a dashboard's query."""
    release, served = current_release(settings.serving), _served_from_new(settings.serving)
    if release is None or not served:
        return []
    routes = journal.present_state(settings.serving).routes
    found: dict[str, list[str]] = {context: [] for context in served}
    for context, reason in [
        *_red_verdicts(url, routes),
        *_late_tables(settings, served, now),
        *(() if unchecked() else _failing_dashboards(settings.serving, release)),
    ]:
        if context in found:
            found[context].append(reason)
    return [Regression(context, tuple(reasons)) for context, reasons in found.items() if reasons]


def _served_from_new(serving: Path) -> list[str]:
    routes = journal.present_state(serving).routes
    return [context for context, route in routes.items() if route in SERVED_FROM_NEW and context in CONTEXTS]


def _blind_spots(settings: Settings) -> list[str]:
    """Return, and raise an alert for, each check of what is served from new that cannot be made."""
    release = current_release(settings.serving)
    if release is None or not (served := _served_from_new(settings.serving)):
        return []
    found = [f"The guard cannot look after {', '.join(served)}: {sentence}." for sentence in unchecked()]
    for text in found:
        _log.error("%s", text)
        alerts.send(settings, alerts.Alert("guard_blind", text, text, command=f"olist release verify {release.number}"))
    return found


def _red_verdicts(url: str, routes: Mapping[str, Route]) -> Iterable[tuple[str, str]]:
    for comparison in ("parity", "reconciliation"):
        for verdict in verdicts.latest(url, comparison, whole=False).values():
            # What a retired context was compared with is not built any more: its last verdict says nothing.
            if not verdict.is_green and not (comparison == "parity" and routes.get(verdict.context) == "retired"):
                yield verdict.context, f"{comparison} of {verdict.table} {verdict.verdict} (run {verdict.run_id})"


def _late_tables(settings: Settings, contexts: Iterable[str], now: datetime) -> Iterable[tuple[str, str]]:
    """Tell the tables whose rows were made of other landing files than those that have been there for too long."""
    present, limit = landing_hashes(settings), timedelta(hours=settings.cutover.freshness_hours)
    for context in contexts:
        for source in dict.fromkeys(table.source.name for table in CONTEXTS[context].tables if table.source):
            if source not in present or landing_hash_of(settings, source) == present[source]:
                continue
            files = files_of(readable_landing(settings, [LANDING[source]]), LANDING[source])
            since = {path: there_since(landed(path)) for path in files}
            path = max(files, key=since.__getitem__)
            arrived = datetime.fromtimestamp(since[path], tz=now.tzinfo)
            if now - arrived > limit:
                yield context, f"{called(path)} has been there since {arrived:%Y-%m-%d %H:%M %Z} and is not read yet"


def _failing_dashboards(serving: Path, release: Release) -> Iterable[tuple[str, str]]:
    with duckdb.connect(str((serving / "current").resolve() / DATABASE), read_only=True) as connection:
        failing = failing_queries(connection)
    for query in failing:
        tables = (release.tables[table] for table in query.tables if table in release.tables)
        for context in sorted({table.context for table in tables if table.schema == NEW}):
            yield context, str(query)


def _alert(settings: Settings, regression: Regression, text: str, command: str) -> None:
    """Tell people, in the log and by an alert."""
    _log.error("%s", text)
    key = f"{regression.context}: {'; '.join(regression.reasons)}"
    details = {"reasons": list(regression.reasons)}
    alerts.send(settings, alerts.Alert("context_regressed", key, text, command=command, details=details))
