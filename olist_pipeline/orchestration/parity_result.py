"""A parity verdict as a person sees it in the Dagster UI: numbers to plot, and tables to read.

What belongs here: the metadata of a parity check. What does not: the verdict (see `parity.attribution`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import dagster as dg

from olist_pipeline.parity.attribution import ParityVerdict, TableParity
from olist_pipeline.parity.effects import Effects, number, signed
from olist_pipeline.parity.report import Comparison, Row

Cells = Mapping[str, str | int]


def parity_result(parity: TableParity, key: dg.AssetKey, page: Path) -> dg.AssetCheckResult:
    """Return the check result of a verdict; `page` is the report of the run for a browser."""
    is_explained = parity.verdict is ParityVerdict.EXPLAINED
    shown = parity.direct if is_explained else parity.equivalence
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="parity",
        passed=parity.is_green,
        severity=dg.AssetCheckSeverity.ERROR,
        description=parity.sentence(),
        metadata={
            "verdict": parity.verdict.value,
            "old_rows": parity.direct.rows_old,
            "new_rows": parity.direct.rows_new,
            "rows_that_differ": _differing(parity.direct),
            "report": dg.MetadataValue.md("\n".join(f"- {line}" for line in parity.sentences())),
            **_tables(parity, shown, "old" if is_explained else "replay"),
            "whole_run": dg.MetadataValue.path(str(page)),
        },
    )


def _tables(parity: TableParity, shown: Comparison, before: str) -> dict[str, dg.TableMetadataValue]:
    effects = parity.effects
    rows = {
        "by_rule": _by_rule(effects) if effects else [],
        "dashboards_will_see": _totals(effects) if effects else [],
        "columns_that_differ": _columns(shown),
        "sample_cells": list(_sample_cells(shown, before)),
    }
    return {name: _table(cells) for name, cells in rows.items() if cells}


def _by_rule(effects: Effects) -> list[Cells]:
    return [
        {
            "rules": effect.rules or "(moved with the rest)",
            "gone": effect.gone,
            "come": effect.come,
            "changed": effect.changed,
            **{name: signed(value) for name, value in effect.moved.items()},
        }
        for effect in effects.by_rule
    ]


def _totals(effects: Effects) -> list[Cells]:
    return [{"measure": name, "old": number(old), "new": number(new)} for name, (old, new) in effects.totals.items()]


def _columns(comparison: Comparison) -> list[Cells]:
    return [
        {
            "column": column.column,
            "cells": column.unequal,
            "largest": "" if column.largest is None else f"{column.largest:.12g}",
            "most_frequent": f"{_text(change.old)} -> {_text(change.new)}" if change else "",
            "for_example": _key(change.key) if change else "",
        }
        for column in comparison.differing_columns
        for change in (column.changes[:1] or (None,))
    ]


def _sample_cells(comparison: Comparison, before: str) -> Iterator[Cells]:
    """Yield the unequal cells of sample rows, and the keys of rows that one side lacks."""
    for sample in comparison.unequal_samples:
        for column, old in (sample.old or {}).items():
            new = (sample.new or {}).get(column)
            if old != new:
                yield {"key": _key(sample.key), "column": column, before: _text(old), "new": _text(new)}
    for samples, here in ((comparison.only_in_old_samples, before), (comparison.only_in_new_samples, "new")):
        for sample in samples:
            sides = {before: "", "new": ""} | {here: "only here"}
            yield {"key": _key(sample.key), "column": "", **sides}


def _table(rows: Iterable[Cells]) -> dg.TableMetadataValue:
    records = [dg.TableRecord(dict(row)) for row in rows]
    names = records[0].data.items()
    columns = [dg.TableColumn(name, "int" if isinstance(value, int) else "string") for name, value in names]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))


def _differing(comparison: Comparison) -> int:
    groups = comparison.duplicates.differing + comparison.null_keys.differing
    return comparison.unequal + comparison.only_in_old + comparison.only_in_new + groups


def _key(key: Row) -> str:
    return ", ".join(f"{name} = {_text(value)}" for name, value in key.items())


def _text(value: str | None) -> str:
    return "NULL" if value is None else value
