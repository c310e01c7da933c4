"""Attribution: what the dashboards would see change, and whether quarantine explains it.

What belongs here: the verdict on one table from two comparisons. What does not: comparing two relations
(see `compare`), and storing verdicts.

`old` against `new` says what changes; `replay` (the old SQL over the accepted rows) against `new` says
whether the new SQL is equivalent. A difference is explained when only quarantined rows can cause it: the new
table then is identical to its replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb

from olist_pipeline.parity.compare import compare
from olist_pipeline.parity.contract import Contract, Tolerance
from olist_pipeline.parity.fingerprint import fingerprint
from olist_pipeline.parity.report import Comparison
from olist_pipeline.warehouse import NEW, OLD, REPLAY, WarehouseTable


class ParityVerdict(StrEnum):
    """The verdict on one table; `differs` alone is red."""

    IDENTICAL = "identical"
    EXPLAINED = "explained"
    DIFFERS = "differs"


@dataclass(frozen=True)
class TableParity:
    """The verdict on one table, with the comparisons that led to it."""

    table: str
    verdict: ParityVerdict
    direct: Comparison
    equivalence: Comparison
    quarantine: Mapping[str, int]
    subject: str

    @property
    def is_green(self) -> bool:
        """Whether the new table may take the place of the old one."""
        return self.verdict is not ParityVerdict.DIFFERS

    def sentences(self) -> list[str]:
        """Say the verdict and its reasons, a line each."""
        if self.verdict is ParityVerdict.IDENTICAL:
            return [f"{self.table} is identical in old and new ({self.direct.rows_new:,} rows)."]
        if self.verdict is ParityVerdict.EXPLAINED:
            rules = ", ".join(f"{rule} {rows:,}" for rule, rows in self.quarantine.items())
            return [
                f"{self.table} differs from old only by quarantined rows ({rules}): it is identical to its replay.",
                *self.direct.sentences(),
            ]
        return [
            f"{self.table} differs from its replay, which quarantine does not explain:",
            *self.equivalence.sentences(),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values."""
        return {
            "table": self.table,
            "verdict": self.verdict.value,
            "sentences": self.sentences(),
            "old_and_new": self.direct.to_dict(),
            "replay_and_new": self.equivalence.to_dict(),
            "quarantined_by_rule": dict(self.quarantine),
        }


def parity_of(
    connection: duckdb.DuckDBPyConnection, table: WarehouseTable, quarantine: Mapping[str, int]
) -> TableParity:
    """Return the verdict on a table. `quarantine` is the number of quarantined rows by rule."""
    contract = contract_of(table)
    direct = compare(connection, f"{OLD}.{table.name}", f"{NEW}.{table.name}", contract)
    equivalence = compare(connection, f"{REPLAY}.{table.name}", f"{NEW}.{table.name}", contract)
    if not equivalence.identical:
        verdict = ParityVerdict.DIFFERS
    elif direct.identical:
        verdict = ParityVerdict.IDENTICAL
    else:
        verdict = ParityVerdict.EXPLAINED if quarantine else ParityVerdict.DIFFERS
    subject = parity_subject(connection, table)
    return TableParity(table.name, verdict, direct, equivalence, quarantine, subject)


def parity_subject(connection: duckdb.DuckDBPyConnection, table: WarehouseTable) -> str:
    """Return the fingerprint of what a parity verdict speaks of: the rows of the old and of the new table."""
    return ":".join(fingerprint(connection, f"{schema}.{table.name}").digest for schema in (OLD, NEW))


def contract_of(table: WarehouseTable) -> Contract:
    """Return the comparison contract that a table's model declares."""
    tolerances = {column: Tolerance(**bounds) for column, bounds in table.tolerances.items()}
    return Contract(table.name, table.key, tolerances, table.excluded)
