"""Inputs of a validation step: intake rows and what other contexts publish, as far as the step declares them.

What belongs here: reading declared inputs, by month. What does not: validating them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from olist_pipeline.staging import scan_intake, scan_staging


@dataclass(frozen=True)
class Inputs:
    """What a step reads. `months` are those that it validates, None for a step without months.

    `as_of` is the day that the warehouse takes for today.
    """

    intake_folder: Path
    staging_folder: Path
    declared: frozenset[str]
    months: Sequence[date] | None
    as_of: date

    def intake(self, table: str, *, all_months: bool = False) -> pl.LazyFrame:
        """Return intake rows of the step's months, or of all; raises OlistError before the table's intake."""
        self._refuse_undeclared(table)
        return scan_intake(self.intake_folder, table, None if all_months else self.months)

    def published(self, asset: str, columns: Iterable[str]) -> pl.LazyFrame:
        """Return `columns` of the accepted rows of `context/table`, of the step's months where both have any.

        Raises OlistError before that table's validation.
        """
        self._refuse_undeclared(asset)
        context, _, table = asset.partition("/")
        return scan_staging(self.staging_folder, context, table, self.months).select(*columns)

    def _refuse_undeclared(self, name: str) -> None:
        if name not in self.declared:
            raise ValueError(f"The step reads {name} and does not declare it: its asset would lack that dependency")
