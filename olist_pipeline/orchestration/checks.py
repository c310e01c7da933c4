"""Asset checks: reconciliation and quarantine of every validated table, parity of every new table.

What belongs here: running the proofs and storing their verdicts. What does not: the proofs themselves
(`parity`). dbt's tests are checks of their own (see `dbt`).

All kinds block what is downstream within their run; across runs the gate of serving reads the stored
verdicts again.
"""

import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from olist_pipeline.landing.table import LandingTable
from olist_pipeline.migration.load import load_migration
from olist_pipeline.migration.model import NEW, OLD, REPLAY
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.dbt import POOL
from olist_pipeline.orchestration.dbt_build import compared_months
from olist_pipeline.orchestration.graph_names import relation_key
from olist_pipeline.orchestration.intake import intake_key
from olist_pipeline.orchestration.parity_result import parity_result
from olist_pipeline.orchestration.partitions import is_forced
from olist_pipeline.orchestration.resources import PipelineResource, clear_failures
from olist_pipeline.orchestration.validation import staging_key
from olist_pipeline.parity.attribution import Evidence, TableParity, parities_of
from olist_pipeline.parity.by_months import TREES, AddedSides, sides_by_months
from olist_pipeline.parity.causes import causes
from olist_pipeline.parity.html import write_report
from olist_pipeline.parity.proven import proven_intake_of, proven_reconciliation_of
from olist_pipeline.parity.reconciliation import reconciliation_subject
from olist_pipeline.registry import LANDING, LINKS, STEPS, origins
from olist_pipeline.serving.progress import scorecard
from olist_pipeline.settings import Settings
from olist_pipeline.spark.trees import is_on_spark
from olist_pipeline.stores import approvals, quarantine, verdicts
from olist_pipeline.stores.verdicts import Verdict
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.shares import Counted, Share, share_of
from olist_pipeline.validation.table import StagedTable
from olist_pipeline.warehouse import WarehouseTable, refuse_unmade, sole_use

QUARANTINE = "quarantine"


def reconciliation_checks() -> list[dg.AssetChecksDefinition]:
    """Return the reconciliation and quarantine checks of all contexts, a step of checks for a step of validation."""
    return [*map(_intake_check, LANDING.values()), *map(_validation_check, STEPS)]


def parity_checks(tables: Sequence[WarehouseTable]) -> list[dg.AssetChecksDefinition]:
    """Return the parity checks of all new tables, run together in one step over one connection.

    Monthly tables have a step of their own: whole ones are built of them, once they are proven.
    """
    monthly, whole = ([table for table in tables if table.is_monthly is kind] for kind in (True, False))
    steps = {"parity_months": monthly, "parity": whole}
    return [_parity_checks(name, compared, compared is monthly) for name, compared in steps.items() if compared]


def _parity_checks(name: str, tables: Sequence[WarehouseTable], is_monthly: bool) -> dg.AssetChecksDefinition:
    by_key = {relation_key(NEW, table.new_relation): table for table in tables}

    @dg.multi_asset_check(
        name=name,
        specs=[
            dg.AssetCheckSpec(
                "parity",
                asset=key,
                additional_deps=[relation_key(schema, table.name) for schema in (OLD, REPLAY)],
                blocking=True,
                description="Identical to old, or different only by quarantined rows: then identical to replay.",
            )
            for key, table in by_key.items()
        ],
        can_subset=True,
        pool=POOL,
    )
    def compare_tables(
        context: dg.AssetCheckExecutionContext, pipeline: PipelineResource, warehouse: DuckDBResource
    ) -> Iterator[dg.AssetCheckResult]:
        settings, url, run_id = pipeline.settings, pipeline.url, context.run.run_id
        page = settings.reports / f"parity-{run_id}.html"
        with clear_failures():
            traced = causes(url, settings.staging, LINKS)
            approved = approvals.active(url, date.today())
            months = compared_months(context.run.tags, settings) if is_monthly else None
        found = []
        with clear_failures(), sole_use(settings), warehouse.get_connection() as connection:
            keys = [check.asset_key for check in context.selected_asset_check_keys]
            compared = [by_key[key] for key in keys]
            trees = [(tree, table.names(tree)) for table in compared for tree in (OLD, REPLAY, NEW)]
            refuse_unmade(connection, trees)
            sides = _sides_on_spark(settings, connection, compared, months) if is_monthly else {}
            evidence = [
                Evidence(quarantine.totals_by_rule(url, origins(one.reads)), traced, approved) for one in compared
            ]
            parities = parities_of(connection, [*zip(compared, evidence, strict=True)], months, sides)
            for key, table, parity in zip(keys, compared, parities, strict=True):
                verdicts.record(url, _parity_verdict(parity, table.context, run_id))
                found.append((parity, key))
        shutil.rmtree(_rests(settings), ignore_errors=True)
        with clear_failures():
            latest, progress = list(verdicts.latest(url, "parity").values()), scorecard(settings, url, run_id)
            write_report(page, latest, approvals.all_approvals(url), date.today(), progress)
        yield from (parity_result(parity, key, page) for parity, key in found)

    return compare_tables


def _sides_on_spark(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[WarehouseTable],
    months: MonthRange | None,
) -> dict[str, AddedSides]:
    """Return the sides of tables whose months were compared by tasks of Spark: where it has built all three."""
    migration = load_migration(settings.migration)
    if not all(is_on_spark(settings, migration, tree) for tree in TREES):
        return {}
    # Its extra need not be installed.
    from olist_pipeline.spark.runner import spark_runner

    return sides_by_months(connection, tables, months, spark_runner(settings), _rests(settings))


def _rests(settings: Settings) -> Path:
    return settings.outbox / "parity"


def _intake_check(table: LandingTable) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=intake_key(table.name),
        name="reconciliation",
        blocking=True,
        description=f"Every record of `{table.file}` is in intake, once.",
    )
    def reconciliation(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> dg.AssetCheckResult:
        with clear_failures():
            ledger = proven_intake_of(pipeline.settings, table, is_forced=is_forced(context.run.tags))
        return dg.AssetCheckResult(
            passed=ledger.holds, description=ledger.sentence(), metadata={"landing": ledger.landing}
        )

    return reconciliation


def _validation_check(step: ValidationStep) -> dg.AssetChecksDefinition:
    tables = {staging_key(table.context, table.name): table for table in step.tables}

    @dg.multi_asset_check(
        name=f"{step.name}_reconciliation",
        specs=[spec for key, table in tables.items() for spec in _validation_specs(key, table)],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> Iterator[dg.AssetCheckResult]:
        settings, url = pipeline.settings, pipeline.url
        selected = context.selected_asset_check_keys
        for key in dict.fromkeys(check_key.asset_key for check_key in selected):
            table = tables[key]
            with clear_failures():
                ledger = proven_reconciliation_of(settings, url, table, is_forced=is_forced(context.run.tags))
                share = share_of(url, Counted(table, ledger.landing, ledger.quarantined), settings.cutover)
            if dg.AssetCheckKey(key, QUARANTINE) in selected:
                yield _quarantine_result(key, share)
            if dg.AssetCheckKey(key, "reconciliation") not in selected:
                continue
            verdict = Verdict(
                context=table.context,
                table=table.name,
                comparison="reconciliation",
                verdict="holds" if ledger.holds else "does not hold",
                is_green=ledger.holds,
                subject=reconciliation_subject(settings, table),
                report=ledger.to_dict(),
                run_id=context.run.run_id,
            )
            verdicts.record(url, verdict)
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name="reconciliation",
                passed=ledger.holds,
                description=ledger.sentence(),
                metadata={
                    "landing": ledger.landing,
                    "accepted": ledger.accepted,
                    "quarantined": ledger.quarantined,
                    "rejection_rate": round(ledger.quarantined / max(ledger.landing, 1), 4),
                },
            )

    return check


def _validation_specs(key: dg.AssetKey, table: StagedTable) -> Iterator[dg.AssetCheckSpec]:
    what = "Landing rows are accepted or quarantined, once, and accepted cells equal landing cells."
    yield dg.AssetCheckSpec("reconciliation", asset=key, blocking=True, description=what)
    if table.source:
        what = "Not most of the landing rows are in quarantine; a warning above OLIST_QUARANTINE_LIMIT."
        yield dg.AssetCheckSpec(QUARANTINE, asset=key, blocking=True, description=what)


def _quarantine_result(key: dg.AssetKey, share: Share) -> dg.AssetCheckResult:
    """Return the result of a share of quarantine: above the limit it warns, and where most is gone it stops the run."""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=QUARANTINE,
        passed=not share.is_large,
        severity=dg.AssetCheckSeverity.ERROR if share.stops else dg.AssetCheckSeverity.WARN,
        description=share.sentence(),
        metadata={"share": share.share, "limit": share.limit},
    )


def _parity_verdict(parity: TableParity, context: str, run_id: str) -> Verdict:
    return Verdict(
        context=context,
        table=parity.table,
        comparison="parity",
        verdict=parity.verdict.value,
        is_green=parity.is_green,
        subject=parity.subject,
        report=parity.to_dict(),
        run_id=run_id,
        months=str(parity.months) if parity.months else None,
    )
