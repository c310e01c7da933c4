"""The gate: what keeps a release from being published, and a context from being cut over.

What belongs here: reading stored verdicts again, listing everything that is missing, red or stale, and the cutover that
is held to it. What does not: making verdicts. A run's own success counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import attrgetter
from typing import Any

from olist_pipeline.parity.attribution import ParityVerdict
from olist_pipeline.parity.reconciliation import reconciliation_subject
from olist_pipeline.provenance import landing_hashes
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.release_manifest import NEW, OLD, Content, Release, Route, Side
from olist_pipeline.serving import journal
from olist_pipeline.serving.cutover import cutover
from olist_pipeline.serving.release_checks import unchecked
from olist_pipeline.serving.switch import Switched
from olist_pipeline.settings import Settings
from olist_pipeline.stores import approvals, verdicts
from olist_pipeline.stores.routes import last_rollbacks
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.validation.shares import Counted, Share, stored_shares
from olist_pipeline.warehouse import WarehouseTable

Verdicts = Mapping[tuple[str, str], Verdict]

COMPARED_ROUTES: tuple[Route, ...] = ("shadow", "new")
"""A context in shadow is held to what new will be held to; one on old is not, and a retired one cannot be."""
RECONCILED_ROUTES: tuple[Route, ...] = (*COMPARED_ROUTES, "retired")


def objections(
    settings: Settings,
    url: str,
    tables: Iterable[WarehouseTable],
    routes: Mapping[str, Route],
    subject_of: Callable[[WarehouseTable], str],
) -> list[str]:
    """Return one sentence for each verdict that is missing, red or stale; none means that the gate is open.

    `subject_of` returns the `parity_subject` of a table as it is about to be published.
    """
    parity, reconciliation = verdicts.latest(url, "parity"), verdicts.latest(url, "reconciliation")
    compared = [table for table in tables if routes.get(table.context) in COMPARED_ROUTES]
    found = [
        _objection(f"parity of {table.name}", parity.get((table.context, table.name)), subject_of(table))
        for table in compared
    ]
    found += _unapproved(url, [parity.get((table.context, table.name)) for table in compared])
    found += [
        _objection(
            f"reconciliation of {table.name}",
            reconciliation.get((context, table.name)),
            reconciliation_subject(settings, table),
        )
        for context, route in routes.items()
        if route in RECONCILED_ROUTES
        for table in CONTEXTS[context].tables
    ]
    found += [share.sentence() for share in _shares(settings, url, reconciliation, routes) if share.stops]
    return [objection for objection in found if objection]


def gated_cutover(settings: Settings, url: str, context: str, *, by: str, reason: str, force: bool) -> Switched:
    """Serve `context` from new if the gate is open on the release that is served, or is overruled by `force`.

    Raises what `cutover` raises.
    """
    journal.bring_to_database(settings.serving, url)
    return cutover(
        settings,
        context,
        lambda release: cutover_objections(settings, url, release, context, date.today()),
        by=by,
        reason=reason or ("" if force else "the gate was open"),
        force=force,
        parity_run=parity_runs(url).get(context),
    )


def cutover_objections(
    settings: Settings,
    url: str,
    release: Release,
    context: str,
    today: date,
) -> list[str]:
    """Return everything that is missing before `context` may be served from new, a sentence each.

    `release` is what is to be served under another route: verdicts must speak of its very rows, and it must be made of
    the landing files that are there now.
    """
    if context not in CONTEXTS:
        return [f"it is not among the contexts of the migration file any more ({', '.join(CONTEXTS) or 'none'})"]
    tables = release_tables(release, context)
    return [
        *objections(settings, url, tables, {context: "new"}, lambda table: subject(release.sources(table.name))),
        *unchecked(),
        *_landing_objections(settings, release, context),
        *_streak_objections(settings, url, context),
        *_approval_objections(url, {table.name for table in tables}, today),
        *(share.sentence() for share in _shares(settings, url, verdicts.latest(url, "reconciliation"), [context])),
    ]


def parity_runs(url: str) -> dict[str, str]:
    """Return by context the run of its latest parity verdict."""
    compared = [verdict for verdict in verdicts.latest(url, "parity").values() if verdict.recorded_at]
    return {verdict.context: verdict.run_id for verdict in sorted(compared, key=attrgetter("recorded_at"))}


def release_tables(release: Release, context: str) -> list[WarehouseTable]:
    """Return the tables of a context that a release holds on both sides."""
    return [
        WarehouseTable(name, context, table.key, {}, {})
        for name, table in release.tables.items()
        if table.context == context and release.sources(name).keys() == {OLD, NEW}
    ]


def _objection(name: str, verdict: Verdict | None, subject: str) -> str:
    if verdict is None:
        return f"{name} has never been checked"
    if not verdict.is_green:
        why = str(verdict.report.get("sentence", "")).rstrip(".")
        return f"{name} is red ({verdict.verdict}, run {verdict.run_id}){': ' if why else ''}{why}"
    if verdict.subject != subject:
        return f"{name} is stale: the data has changed since run {verdict.run_id}"
    return ""


def _unapproved(url: str, found: Iterable[Verdict | None]) -> list[str]:
    """Object to verdicts that are green by approvals alone, where one of these has ended or was revoked since."""
    resting = [verdict for verdict in found if verdict and verdict.verdict == ParityVerdict.APPROVED.value]
    if not resting:
        return []
    active = {approval.approval_id for approval in approvals.active(url, date.today())}
    return [
        f"parity of {verdict.table} rests on approval {given['approval_id']} of {given['column']}, which has ended"
        for verdict in resting
        for given in verdict.report["approvals"]
        if given["approval_id"] not in active
    ]


def subject(sources: Mapping[Side, Content]) -> str:
    """Return `parity_subject` of a table as a release has it: a release does not change, and says what it holds."""
    return ":".join(sources[side].digest for side in (OLD, NEW))


def _landing_objections(settings: Settings, release: Release, context: str) -> list[str]:
    """Object to landing files, of those that the tables of a context are made of, which are not the release's."""
    needed = {name for table in release.tables.values() if table.context == context for name in table.needs}
    files = [table.name for name in sorted(needed & CONTEXTS.keys()) for table in CONTEXTS[name].landing]
    present = landing_hashes(settings, files)
    changed = [name for name in files if present.get(name) != release.landing.get(name)]
    if not changed:
        return []
    return [f"landing has changed since release {release.number} ({', '.join(changed)}); run `olist run`"]


def _streak_objections(settings: Settings, url: str, context: str) -> list[str]:
    streak, needed = verdicts.streaks(url).get(context, 0), settings.cutover.streak
    if streak >= needed:
        return []
    rolled = last_rollbacks(url).get(context)
    since = f" since it was rolled back ({rolled:%Y-%m-%d %H:%M} UTC)" if rolled else ""
    return [f"{context} has been green in {streak} run{'s' * (streak != 1)} in a row{since}, and {needed} are needed"]


def _approval_objections(url: str, tables: Iterable[str], today: date) -> list[str]:
    """Object to approvals that have ended and that no other one took the place of."""
    given = [approval for approval in approvals.all_approvals(url) if approval.table in set(tables)]
    held = {(approval.table, approval.column) for approval in given if approval.is_active(today)}
    return [
        f"approval {approval.approval_id} of {approval.table}.{approval.column} ended on {approval.until}; approve the "
        "difference again, or revoke the approval"
        for approval in given
        if approval.state(today) == "ended" and (approval.table, approval.column) not in held
    ]


def _shares(settings: Settings, url: str, reconciliation: Verdicts, contexts: Iterable[str]) -> list[Share]:
    """Return the shares of quarantine that are above the limit, as reconciliation found them."""
    counted = [
        Counted(table, ledger["landing"], ledger["quarantined"])
        for context in contexts
        for table in CONTEXTS[context].tables
        if (ledger := _ledger(reconciliation.get((context, table.name))))
    ]
    return stored_shares(url, counted, settings.cutover)


def _ledger(verdict: Verdict | None) -> Mapping[str, Any] | None:
    return verdict.report if verdict and "landing" in verdict.report else None
