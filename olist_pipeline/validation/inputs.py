"""Inputs of a validation step: intake rows and what other contexts publish, as far as the step declares them.

What belongs here: reading declared inputs, by month, and knowing what was read. What does not: validating them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from olist_pipeline.staging import has_months, scan_files, scan_intake, scan_staging
from olist_pipeline.validation.units import Unit


class Read(NamedTuple):
    """Something that was read: an intake table, `columns` of a published one (`context/table`), or AS_OF."""

    name: str
    columns: tuple[str, ...] = ()


AS_OF = Read("the day")


@dataclass(frozen=True)
class Inputs:
    """What a unit of a step reads, and in `reads` what it has read. `day` is what the warehouse takes for today.

    `overview_file` has what was made of all rows beforehand, for a part of them.
    """

    intake_folder: Path
    staging_folder: Path
    declared: frozenset[str]
    unit: Unit
    day: date
    reads: list[Read] = field(default_factory=list)
    overview_file: Path | None = None

    @property
    def as_of(self) -> date:
        """The day that the warehouse takes for today."""
        self.reads.append(AS_OF)
        return self.day

    def intake(self, table: str, *, all_months: bool = False) -> pl.LazyFrame:
        """Return intake rows of the unit, or of all months; raises OlistError before the table's intake."""
        self._refuse_undeclared(table)
        self.reads.append(Read(table))
        if all_months:
            return scan_intake(self.intake_folder, table)
        return self.unit.part_of(scan_intake(self.intake_folder, table, self.unit.months))

    def published(self, asset: str, columns: Iterable[str]) -> pl.LazyFrame:
        """Return `columns` of the accepted rows of `context/table`, those of the unit where both have months.

        Raises OlistError before that table's validation.
        """
        self._refuse_undeclared(asset)
        names = tuple(columns)
        self.reads.append(Read(asset, names))
        context, _, table = asset.partition("/")
        rows = scan_staging(self.staging_folder, context, table, self.unit.months)
        if self.unit.months is not None and has_months(self.staging_folder, context, table):
            rows = self.unit.part_of(rows)
        return rows.select(*names)

    def overview(self) -> pl.LazyFrame | None:
        """Return the unit's rows of the step's overview; None where the unit is all there is, and makes it itself."""
        if self.overview_file is None:
            return None
        return self.unit.part_of(scan_files(self.overview_file))

    def _refuse_undeclared(self, name: str) -> None:
        if name not in self.declared:
            raise ValueError(f"The step reads {name} and does not declare it: its asset would lack that dependency")
