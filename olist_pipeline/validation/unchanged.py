"""Whether a step without months was worked through on what it would read now: then nobody need do it again.

What belongs here: the note of what a step read and left, and whether it still holds. What does not: the step (`work`),
and bringing what it left to PostgreSQL (`steps`).

The note lies in the folder of the context, and so do the quarantined rows, for PostgreSQL may have lost them. It names
what the step read, as far as it read it: of a published table the columns that it asked for. A step that was damaged,
made by other code, or left by a crash without its note, is worked through anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from olist_pipeline.errors import OlistError
from olist_pipeline.files import content_hash, read_with_checksum, size_and_time, write_with_checksum
from olist_pipeline.intake.unchanged import rows_hash
from olist_pipeline.migration.code import python_hash
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, scan_staging, staged_hash
from olist_pipeline.validation.context import ValidationStep
from olist_pipeline.validation.inputs import AS_OF, Read
from olist_pipeline.validation.work import TableReport, UnitReport


@dataclass(frozen=True)
class WholeStep:
    """A step without months in an environment, on the day that is taken for today."""

    settings: Settings
    step: ValidationStep
    day: date

    @property
    def quarantine(self) -> list[Path]:
        """The files of the rows that the step put into quarantine, one a unit."""
        return sorted(self.note.parent.glob(f"{self.step.name}.quarantine*.parquet"))

    @property
    def note(self) -> Path:
        """The file that says what the step read and left."""
        return self._folder / f"{self.step.name}.made_of"

    def inputs(self) -> dict[str, list[int]]:
        """Return the state of the files that the step may read: whether somebody replaces one meanwhile."""
        intake = [intake_path(self.settings.intake, table) for table in self.step.intake]
        published = [path for asset in self.step.published for path in (self._staging / asset).glob("*.parquet")]
        return {str(path): size_and_time(path) for path in (*intake, *published) if path.exists()}

    def read(self, what: Iterable[Read]) -> list[list[Any]]:
        """Return what is read with a hash of each, as it is now; raises OlistError where it is not there."""
        return [[read.name, list(read.columns), self._hash(read)] for read in dict.fromkeys(what)]

    def left(self) -> dict[str, str]:
        """Return a hash of all staging files of each table, and of each file of quarantined rows."""
        staged = {table.name: staged_hash(self._staging, table.asset) for table in self.step.tables}
        return {**staged, **{path.name: content_hash(path) for path in self.quarantine}}

    def keep_quarantine(self, reports: Sequence[UnitReport]) -> None:
        """Keep the quarantined rows of all units, in place of those that an earlier run left."""
        for path in self.quarantine:
            path.unlink()
        for number, report in enumerate(reports):
            suffix = f".{number + 1}" if number else ""
            report.quarantine.replace(self._folder / f"{self.step.name}.quarantine{suffix}.parquet")

    @property
    def _staging(self) -> Path:
        return self.settings.staging

    @property
    def _folder(self) -> Path:
        return self._staging / self.step.tables[0].context

    def _hash(self, read: Read) -> str:
        if read == AS_OF:
            return self.day.isoformat()
        context, _, table = read.name.rpartition("/")
        if not context:
            return content_hash(intake_path(self.settings.intake, table))
        return rows_hash(scan_staging(self._staging, context, table).select(*read.columns))


def report_of(whole: WholeStep, known: Collection[bytes]) -> dict[str, TableReport] | None:
    """Return what a step did, by table, where doing it again would change nothing; None where it might.

    `known` are the digests whose events are in the store.
    """
    try:
        note = json.loads(read_with_checksum(whole.note))
        reads = [Read(name, tuple(columns)) for name, columns, _ in note["reads"]]
        holds = (
            note["code"] == python_hash()
            and all(bytes.fromhex(digest) in known for digest in note["digests"])
            and note["left"] == whole.left()
            and note["reads"] == whole.read(reads)
        )
        return {name: TableReport(**counts) for name, counts in note["tables"].items()} if holds else None
    except (OlistError, OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        return None


def note(whole: WholeStep, reports: Sequence[UnitReport], reads: Iterable[Read], inputs: dict[str, list[int]]) -> None:
    """Note what a step has read and left, once all of that is stored; its quarantined rows are kept.

    `reads` is what was read before the units of the `reports`. `inputs` is the state of the step's files from before.
    Where it is another one now, nobody knows what was read.
    """
    whole.keep_quarantine(reports)
    text = {
        "code": python_hash(),
        "reads": whole.read([*reads, *(read for report in reports for read in report.reads)]),
        "left": whole.left(),
        "digests": [digest.hex() for report in reports for digest in report.digests],
        "tables": {
            table.name: asdict(TableReport.sum_of(report.tables[table.name] for report in reports))
            for table in whole.step.tables
        },
    }
    if whole.inputs() == inputs:
        write_with_checksum(whole.note, json.dumps(text))
