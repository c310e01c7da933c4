"""Criteria: whether the migration is complete, one criterion after the other, each with its evidence.

What belongs here: the success criteria of the migration, what makes each of them green, and since when it is as it is.
What does not: what the stores hold (`stores`), the audit, and showing criteria.

A criterion is green, not green, or not known where nothing was measured yet. Since when it is so is what the release
that is served says of the same colour, else this moment: every release carries the scorecard of its run on. That the
team is trained is a criterion that no machine measures, so it is not here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from olist_pipeline.audit.stored import AuditCounts, counted
from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash
from olist_pipeline.migration.load import present_migration
from olist_pipeline.provenance import code_hash
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.release_manifest import DATABASE
from olist_pipeline.serving import journal
from olist_pipeline.serving.release import current_release
from olist_pipeline.settings import PROJECT_DIR, Settings
from olist_pipeline.stores import routes, run_history, verdicts
from olist_pipeline.stores.postgres import query
from olist_pipeline.validation.shares import beside

COVERAGE = PROJECT_DIR / "build" / "domain_coverage.json"
"""Where `make test` leaves what the tests reach of the domain."""

LEAST_COVERAGE = 90
"""The percent of the domain that unit tests have to reach (the guide's success criteria)."""

RUNS = 20
"""Runs whose error rate is compared with that of as many before them, and of which timings are shown."""


@dataclass(frozen=True)
class Criterion:
    """One criterion, of a context or of all (`context` is empty).

    is_green: None where nothing was measured. value and target: as a person reads them, with their units. evidence: one
    sentence, or the command that shows more. since: from when on it has had this colour.
    """

    name: str
    context: str
    is_green: bool | None
    value: str
    target: str
    evidence: str
    since: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the criterion as JSON-ready values."""
        return {**asdict(self), "since": self.since and self.since.isoformat(timespec="seconds")}


def criteria(settings: Settings, url: str, *, now: datetime, run_id: str | None = None) -> list[Criterion]:
    """Return all criteria as they stand; `run_id` is the run in whose last step they are asked for, if any."""
    audited = audit_counts(settings)
    measured = [
        *_logic_moved(audited),
        *_cases_left(audited),
        *_parity(url),
        *_streak(settings, url),
        _speed(run_history.timings(url, limit=RUNS, now=run_id)),
        coverage(COVERAGE),
        _errors(run_history.ended(url, limit=2 * RUNS)),
        *_quarantine(settings, url),
        _dashboards(settings),
        *_routes(settings, url),
    ]
    former = {(one["name"], one["context"]): one for one in _recorded(settings.serving)}
    return [_with_since(one, former.get((one.name, one.context)), now) for one in measured]


def audit_counts(settings: Settings) -> AuditCounts:
    """Return what the audit counts of the two trees of the migration, as kept in OLIST_HOME for the present SQL."""
    migration = present_migration()
    files = [file for kind in ("*.yml", "*.json") for file in sorted(migration.path.parent.glob(kind))]
    key = ":".join([code_hash(migration), *map(content_hash, files)])
    return counted(settings.home / "audit.json", hashlib.blake2b(key.encode(), digest_size=16).hexdigest())


def coverage(path: Path) -> Criterion:
    """Return the criterion of the tests' coverage of the domain, as `path` (coverage's JSON) has it."""
    target = f"at least {LEAST_COVERAGE} %"
    try:
        report = json.loads(path.read_text("utf-8"))
        percent, at = float(report["totals"]["percent_covered"]), str(report["meta"]["timestamp"])
    except (OSError, ValueError, KeyError, TypeError):
        return Criterion("coverage of the domain", "", None, "not measured", target, "`make test` measures it")
    edited = max(file.stat().st_mtime for file in (PROJECT_DIR / "olist_domain").rglob("*.py"))
    is_of_now = edited <= path.stat().st_mtime
    evidence = f"measured {at[:16].replace('T', ' ')} by `make test`" + (
        "" if is_of_now else ", before the last change"
    )
    value = f"{beside(percent, LEAST_COVERAGE, 1)} %"
    return Criterion("coverage of the domain", "", percent >= LEAST_COVERAGE, value, target, evidence)


def _logic_moved(audited: AuditCounts) -> Iterator[Criterion]:
    for context in CONTEXTS:
        found, moved = audited.findings.get(context, 0), audited.moved.get(context, 0)
        percent = audited.percent(context)
        evidence = f"{moved} of {found} pieces in the old SQL have a rule or a derivation: `olist audit`"
        if percent is None:
            yield Criterion("logic moved", context, True, "nothing left", "100 %", "its old SQL is gone, or has none")
            continue
        yield Criterion("logic moved", context, percent == 100, f"{percent} %", "100 %", evidence)


def _cases_left(audited: AuditCounts) -> Iterator[Criterion]:
    for context in CONTEXTS:
        left = audited.cases.get(context, 0)
        evidence = f"CASE with business logic in the new SQL: `olist audit {_new_tree()}`"
        yield Criterion("CASE left in new", context, left == 0, str(left), "0", evidence)


def _new_tree() -> str:
    """Return the folder of the new models as a person types it, in a checkout relative to it."""
    migration = present_migration()
    folder = migration.new_folder / migration.new.folder
    return str(folder.relative_to(PROJECT_DIR) if folder.is_relative_to(PROJECT_DIR) else folder)


def _parity(url: str) -> Iterator[Criterion]:
    compared = list(verdicts.latest(url, "parity").values())
    for context in CONTEXTS:
        own = [one for one in compared if one.context == context]
        green = sum(one.is_green for one in own)
        red = [one.table for one in own if not one.is_green]
        evidence = f"not green: {', '.join(red)}" if red else "identical or explained: `olist parity`"
        if not own:
            yield Criterion("parity", context, None, "not compared", "all tables green", "`olist run` compares")
            continue
        value = f"{green} of {len(own)} tables"
        yield Criterion("parity", context, green == len(own), value, "all tables green", evidence)


def _streak(settings: Settings, url: str) -> Iterator[Criterion]:
    streaks, least = verdicts.streaks(url), settings.cutover.streak
    for context in CONTEXTS:
        runs = streaks.get(context, 0)
        evidence = "latest whole runs in a row, all verdicts green, since the last rollback"
        yield Criterion("streak", context, runs >= least, _runs(runs), _runs(least), evidence)


def _runs(number: int) -> str:
    return f"{number:,} run{'' if number == 1 else 's'}"


def _speed(timings: list[run_history.Timing]) -> Criterion:
    target = "new takes no longer than old"
    if not timings:
        return Criterion("new against old in time", "", None, "not measured", target, "`olist run` measures it")
    last, ratios = timings[-1], [one.ratio for one in timings]
    evidence = (
        f"new {last.new_seconds:,.1f} s, old {last.old_seconds:,.1f} s; of {_runs(len(ratios))} "
        f"{min(ratios):.2f} to {max(ratios):.2f}"
    )
    value = f"{beside(last.ratio, 1, 2)} of old's time"
    return Criterion("new against old in time", "", last.ratio <= 1, value, target, evidence)


def _errors(ended: list[run_history.Ended]) -> Criterion:
    target = "no higher than before"
    if not ended:
        return Criterion("error rate of runs", "", None, "no run yet", target, "`olist run`")
    latest, before = ended[:RUNS], ended[RUNS:]
    failed, failed_before = sum(run.has_failed for run in latest), sum(run.has_failed for run in before)
    rate, rate_before = failed / len(latest), failed_before / len(before) if before else 0.0
    evidence = f"{failed} of the last {_runs(len(latest))} failed, " + (
        f"{failed_before} of the {_runs(len(before))} before" if before else "none came before"
    )
    return Criterion("error rate of runs", "", rate <= rate_before, f"{rate:.0%}", target, evidence)


def _quarantine(settings: Settings, url: str) -> Iterator[Criterion]:
    limit = settings.cutover.quarantine_limit
    history = quarantine_history(url)
    for context in CONTEXTS:
        own = [one["share"] for one in history if one["context"] == context]
        target = f"at most {limit * 100:g}%"
        if not own:
            yield Criterion("share of quarantine", context, None, "not measured", target, "`olist run` measures it")
            continue
        evidence = f"of {_runs(len(own))} {min(own):.2%} to {max(own):.2%}: `olist quarantine`"
        value = f"{beside(own[-1] * 100, limit * 100, 2)}%"
        yield Criterion("share of quarantine", context, own[-1] <= limit, value, target, evidence)


def quarantine_history(url: str) -> list[dict[str, Any]]:
    """Return the share of each context's landing rows that were quarantined, by run, oldest first."""
    return query(
        url,
        """
        SELECT context, run_id, max(max(recorded_at)) OVER (PARTITION BY run_id) AS at,
               sum((report ->> 'quarantined')::bigint)::float / nullif(sum((report ->> 'landing')::bigint), 0) AS share
        FROM data_quality.parity_results
        WHERE comparison = 'reconciliation' AND months IS NULL AND report ? 'landing' AND report ? 'quarantined'
        GROUP BY context, run_id HAVING sum((report ->> 'landing')::bigint) > 0 ORDER BY at, context
        """,
    )


def _dashboards(settings: Settings) -> Criterion:
    target = "every query answered"
    try:
        release = current_release(settings.serving)
    except OlistError as error:  # the run that makes another one is measured, too
        return Criterion("dashboards checked", "", False, "the release cannot be read", target, str(error))
    if release is None:
        return Criterion("dashboards checked", "", None, "no release yet", target, "`olist run` makes one")
    value = "not all were asked" if release.unchecked else "all queries answered"
    evidence = "; ".join(release.unchecked) or f"when release {release.number} was published: `olist release verify`"
    return Criterion("dashboards checked", "", not release.unchecked, value, target, evidence)


def _routes(settings: Settings, url: str) -> Iterator[Criterion]:
    routed = journal.present_routes(settings.serving, url, CONTEXTS)
    for context in CONTEXTS:
        route = routed[context]
        evidence = "what dashboards see of it: `olist cutover`"
        yield Criterion("route", context, route in routes.SERVED_FROM_NEW, route, "new or retired", evidence)


def _with_since(one: Criterion, former: Mapping[str, Any] | None, now: datetime) -> Criterion:
    if former is not None and former["is_green"] == one.is_green and former["since"] is not None:
        return replace(one, since=former["since"].astimezone(UTC))
    return replace(one, since=now.astimezone(UTC).replace(microsecond=0))


def _recorded(serving: Path) -> Iterable[dict[str, Any]]:
    """Return the criteria as the release that is served has them; nothing where it has none."""
    import duckdb

    try:
        release = current_release(serving)
        if release is None:
            return []
        with duckdb.connect(str((serving / "current").resolve() / DATABASE), read_only=True) as connection:
            found = connection.execute("SELECT name, context, is_green, since FROM about.migration_criteria").fetchall()
    except (OlistError, duckdb.Error):
        return []
    return [dict(zip(("name", "context", "is_green", "since"), row, strict=True)) for row in found]
