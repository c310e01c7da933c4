"""How everything stands, for `olist status`: gathered from the stores, from staging and from Dagster.

What belongs here: gathering. What does not: printing (`status`), and changing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from olist_pipeline.alerts import history
from olist_pipeline.data_months import all_months
from olist_pipeline.errors import OlistError
from olist_pipeline.migration.model import NEW
from olist_pipeline.months import month_text
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.serving import journal
from olist_pipeline.serving.counts import TableCount, flag_counts, large_shares, rule_counts, table_counts
from olist_pipeline.serving.criteria import audit_counts
from olist_pipeline.serving.release import current_release
from olist_pipeline.settings import Settings
from olist_pipeline.staging import staged_months
from olist_pipeline.stores import run_history, verdicts
from olist_pipeline.stores.run_history import FROM_WORST, MonthState, month_states
from olist_pipeline.stores.schema import ready_url
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.warehouse import load_manifest, manifest_folder, monthly_assets, warehouse_tables


def standing(settings: Settings) -> dict[str, Any]:
    """Return what `olist status --json` prints."""
    url = ready_url(settings)
    unrecorded = journal.unrecorded(settings.serving, url)
    tables = table_counts(settings, url)
    flagged = flag_counts(settings)
    return {
        "unrecorded": unrecorded,
        "contexts": context_rows(settings, url, tables, _states(settings, url), datetime.now(UTC)),
        "tables": [asdict(count) for count in tables],
        "too_much_rejected": [share.to_dict() for share in large_shares(url, tables, settings.cutover)],
        "rules": [asdict(count) for count in rule_counts(url, flagged)],
        "flagged_by_rule": [asdict(count) for count in flagged],
        "release": _release(settings),
        "last_failure": _last_failure(settings, url),
        "automation": settings.is_automated,
        "alerts": [line for line in history(settings) if line["state"] == "raised"][-3:],
    }


def context_rows(
    settings: Settings,
    url: str,
    tables: Sequence[TableCount],
    states: Mapping[str, Mapping[date, MonthState]],
    now: datetime,
) -> list[dict[str, Any]]:
    """Return how each context stands.

    `tables` are the rows of each table, `states` those of each context's months.
    """
    parity = verdicts.parity_rows(url)
    reconciliation = verdicts.latest(url, "reconciliation")
    streaks = verdicts.streaks(url)
    routed = journal.present_routes(settings.serving, url, CONTEXTS)
    audited = audit_counts(settings)
    return [
        {
            "context": name,
            "route": routed[name],
            **_last_run(reconciliation, parity, name, now, settings.cutover.freshness_hours),
            **_months(settings, name, states.get(name, {})),
            "quarantine_rate": _rate(count for count in tables if count.context == name),
            "rules": sum(len(book.rules) for book in moved.rulebooks),
            "derivations": sum(len(book.derivations) for book in moved.rulebooks),
            "parity": _verdicts([row["verdict"] for row in parity if row["context"] == name]),
            "reconciliation": _reconciliation([v for (owner, _), v in reconciliation.items() if owner == name]),
            "streak": streaks.get(name, 0),
            "logic_moved": audited.percent(name),
        }
        for name, moved in CONTEXTS.items()
    ]


def _last_run(
    reconciliation: Mapping[tuple[str, str], Verdict],
    parity: Iterable[Mapping[str, Any]],
    context: str,
    now: datetime,
    hours: float,
) -> dict[str, Any]:
    """Return when the context was compared last, by which run, and whether that is recent enough."""
    seen = [(v.recorded_at, v.run_id) for (owner, _), v in reconciliation.items() if owner == context and v.recorded_at]
    seen += [(row["recorded_at"], row["run_id"]) for row in parity if row["context"] == context]
    if not seen:
        return {"last_run": None, "run_id": None, "age_hours": None, "is_fresh": False}
    at, run_id = max(seen)
    age = (now - at).total_seconds() / 3600
    return {"last_run": at, "run_id": run_id, "age_hours": round(age, 1), "is_fresh": age <= hours}


def _months(settings: Settings, context: str, states: Mapping[date, MonthState]) -> dict[str, Any]:
    monthly = [table for table in CONTEXTS[context].tables if table.is_monthly]
    months = staged_months(settings.staging, context, monthly[0].name) if monthly else []
    has_none = "none yet" if monthly else "not by month"
    return {
        "months": f"{month_text(months[0])} to {month_text(months[-1])}" if months else has_none,
        **{state: sum(found == state for found in states.values()) for state in reversed(FROM_WORST)},
    }


def _states(settings: Settings, url: str) -> dict[str, dict[date, MonthState]]:
    """Return the states of each context's months; nothing before the first run, or where landing cannot be read."""
    manifest = manifest_folder(settings, NEW) / "manifest.json"
    if not (settings.dagster_home / "dagster.yaml").exists() or not manifest.exists():
        return {}
    try:
        months = all_months(settings)
    except OlistError:
        return {}
    built = warehouse_tables(load_manifest(manifest))
    monthly = {name: assets for name in CONTEXTS if (assets := monthly_assets(name, built))}
    return {name: month_states(url, assets, months) for name, assets in monthly.items()}


def _last_failure(settings: Settings, url: str) -> dict[str, Any] | None:
    """Return what stopped the last run, as Dagster remembers it; None where that run succeeded."""
    # Dagster takes more than a second to import: only where there is something to ask it.
    if not (settings.dagster_home / "dagster.yaml").exists() or not run_history.may_have_failed(url):
        return None
    from olist_pipeline.orchestration.failures import last_failure
    from olist_pipeline.orchestration.instance import quiet_instance
    from olist_pipeline.orchestration.jobs import all_job_names

    with quiet_instance(settings) as instance:
        run_id, problems = last_failure(instance, all_job_names())
    return {"run_id": run_id, "problems": problems} if problems else None


def _rate(counts: Iterable[TableCount]) -> float:
    counted = [(count.quarantined, count.landing) for count in counts if count.landing]
    return sum(quarantined for quarantined, _ in counted) / max(sum(landing for _, landing in counted), 1)


def _verdicts(found: Sequence[str]) -> str:
    return ", ".join(f"{found.count(kind)} {kind}" for kind in dict.fromkeys(found)) or "not compared"


def _reconciliation(found: Sequence[Verdict]) -> str:
    if not found:
        return "not checked"
    return "holds" if all(verdict.is_green for verdict in found) else "does not hold"


def _release(settings: Settings) -> dict[str, Any] | None:
    release = current_release(settings.serving)
    if release is None:
        return None
    return {name: getattr(release, name) for name in ("number", "as_of", "made_at", "unchecked")}
