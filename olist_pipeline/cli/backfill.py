"""`olist backfill`: the months of one context again, in this process.

What belongs here: the command, its range of months and what it refuses. What does not: the run (`execution`) and the
states of months (`stores.run_history`).
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import click
from rich.console import Console

from olist_pipeline.cli.loading import loading
from olist_pipeline.cli.output import JSON, print_json
from olist_pipeline.cli.run import check_landing
from olist_pipeline.errors import OlistError
from olist_pipeline.landing.fetched import fetch_landing
from olist_pipeline.months import MonthRange, month_text
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import Settings

if TYPE_CHECKING:
    from olist_pipeline.stores.run_history import MonthState


@click.command()
@click.argument("context", type=click.Choice(list(CONTEXTS)))
@click.option("--from", "first", metavar="YYYY-MM", help="First month; default: the first of landing and staging.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month, included; default: the last of them.")
@click.option("--only", type=click.Choice(["missing", "failed"]), help="Only months in this state.")
@JSON
def backfill(context: str, first: str | None, last: str | None, only: MonthState | None, as_json: bool) -> None:
    """Validate and build months of a CONTEXT again, with everything of it that is not by month, and its proofs."""
    settings = Settings.from_env()
    console = Console(file=sys.stderr if as_json else sys.stdout)
    if not _is_monthly(context) and (first or last or only):
        raise OlistError(f"{context} has nothing by month; leave out --from, --to and --only.")
    fetch_landing(settings)
    check_landing(settings)
    # Dagster and dbt take seconds to import: what can be refused without them is refused before.
    with loading():
        from olist_pipeline.cli.execution import Planned, run_jobs
        from olist_pipeline.data_months import all_months
        from olist_pipeline.orchestration.instance import prepare
        from olist_pipeline.orchestration.jobs import job_name
        from olist_pipeline.orchestration.partition_states import ranges
        from olist_pipeline.orchestration.partitions import COMPARED_WHOLE, describe
        from olist_pipeline.serving.guard import guard_now
        from olist_pipeline.stores.postgres import flush

    wanted = wanted_months(first, last, all_months(settings))
    if not settings.warehouse.exists():
        raise OlistError(f"{context} needs the tables of other contexts, and none is built; run `olist run` first.")
    url = prepare(settings)
    months = list(wanted) if only is None else _in_state(settings, url, context, wanted, only)
    if not months:
        _report(console, as_json, context, [], [], f"No month of {context} in {describe(list(wanted))} is {only}.")
        return
    parts = ranges(months) if _is_monthly(context) else [wanted]
    # Reconciliation is of all months: proofs come last, when no month is missing any more, and are then of all parts.
    *earlier, final = parts
    plan = [Planned(job_name(context), part, is_monthly_only=True) for part in earlier]
    plan += [Planned(job_name(context), final, COMPARED_WHOLE if earlier else {})]
    seen = run_jobs(settings, console, plan)
    seen.guarded = guard_now(settings, url)
    flush(url)
    seen.raise_failure()
    built = describe(months) if _is_monthly(context) else "as a whole, for it has nothing by month"
    _report(console, as_json, context, months, seen.run_ids, f"{context} is built and proven: {built}.")


def wanted_months(first: str | None, last: str | None, present: MonthRange) -> MonthRange:
    """Return the months that were asked for; raises OlistError for a range that cannot be meant."""
    begin, end = _month(first), _month(last)
    if begin and end and begin > end:
        raise OlistError(f"--from {month_text(begin)} is after --to {month_text(end)}; swap them.")
    for asked in filter(None, (begin, end)):
        if not present.first <= asked <= present.last:
            raise OlistError(f"Landing and staging have the months {present}; {month_text(asked)} is not within them.")
    return MonthRange(begin or present.first, end or present.last)


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if len(text) != len("2018-10"):
            raise ValueError
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise OlistError(f"{text!r} is no month; write it like 2018-10.") from None


def _is_monthly(context: str) -> bool:
    return any(table.is_monthly for table in CONTEXTS[context].tables)


def _in_state(settings: Settings, url: str, context: str, wanted: MonthRange, state: MonthState) -> list[date]:
    from olist_pipeline.orchestration.dbt_projects import ensure_manifest
    from olist_pipeline.orchestration.instance import fail_killed_runs, quiet_instance, sole_run
    from olist_pipeline.orchestration.partition_states import in_state
    from olist_pipeline.stores.run_history import month_states
    from olist_pipeline.warehouse import load_manifest, monthly_assets, warehouse_tables

    assets = monthly_assets(context, warehouse_tables(load_manifest(ensure_manifest(settings))))
    # The months of a run that was killed count as being at work until somebody knows that it is dead.
    with sole_run(settings), quiet_instance(settings) as instance:
        fail_killed_runs(instance)
        return in_state(month_states(url, assets, wanted), state)


def _report(
    console: Console, as_json: bool, context: str, months: list[date], run_ids: list[str], sentence: str
) -> None:
    if as_json:
        print_json({"context": context, "months": [month_text(month) for month in months], "run_ids": run_ids})
    else:
        console.print(sentence)
