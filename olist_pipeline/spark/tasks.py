"""Units of work as tasks of Spark: sent out, worked through where there is room, and their reports brought back.

What belongs here: one task a unit, and what is said of one that failed. What does not: the work, and the session.

A report is small: rows stay in files, which every executor and this process see under the same path. A task that is
lost with its executor is run again by Spark, and writes the same files again, each whole or not at all.
"""

from __future__ import annotations

import pickle
import re
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from olist_pipeline.errors import OlistError
from olist_pipeline.migration.code import own_python_hash
from olist_pipeline.validation.units import PieceOfWork, PieceT, ReportT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OUTCOME = "number long, report binary, refusal string"
"""What a task returns of its unit: a pickled report, or the sentence of an error that a person can mend."""

_FAILED = re.compile(r"TaskError: (.+)")
_LOST = re.compile(r"ExecutorLostFailure \(.*?\) Reason: (.+)")
_SAID = re.compile(r"^(?:: |\s*)([\w.$]+(?:Error|Exception): .+)", re.MULTILINE)


class TaskError(Exception):
    """The work on a unit ended in an error of the code or of the machine; Spark tries it again elsewhere."""


@dataclass(frozen=True)
class Task:
    """The work on the units whose numbers a partition has; both are pickled, for they may need `paths` to be read.

    `code` is the hash of the code that sends it, and of Polars: another one would cut and name things otherwise.
    """

    work: bytes
    units: tuple[bytes, ...]
    paths: tuple[str, ...]
    code: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Work through the units, one after the other."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                report, refusal = self._outcome(number)
                yield pa.RecordBatch.from_pydict(
                    {"number": [number], "report": [report], "refusal": [refusal]},
                    pa.schema([("number", pa.int64()), ("report", pa.binary()), ("refusal", pa.string())]),
                )

    def _outcome(self, number: int) -> tuple[bytes | None, str | None]:
        """Return a unit's pickled report, or what a person can mend; raises TaskError for anything else."""
        sys.path += [path for path in self.paths if path not in sys.path]
        unit: PieceOfWork | None = None
        try:
            if self.code != own_python_hash():
                raise OlistError(
                    "it has another version of this project, of Polars or of Narwhals; install the same everywhere."
                )
            unit, work = pickle.loads(self.units[number]), pickle.loads(self.work)
            return pickle.dumps(work(unit)), None
        except OlistError as error:
            return None, f"{error} (said by Spark's executor on {socket.gethostname()})"
        except Exception as error:
            said = " ".join(str(error).split())
            raise TaskError(f"{name_of(unit)} on {socket.gethostname()}: {type(error).__name__}: {said}") from error


def run_on_spark(
    session: SparkSession, paths: Sequence[str], units: Sequence[PieceT], work: Callable[[PieceT], ReportT]
) -> list[ReportT]:
    """Return the report of each unit, in their order; raises OlistError with the cause of the first that failed.

    `paths` are folders of modules that the work needs besides what is installed.
    """
    if not units:
        return []
    task = Task(pickle.dumps(work), tuple(pickle.dumps(unit) for unit in units), tuple(paths), own_python_hash())
    numbers = session.range(0, len(units), 1, numPartitions=len(units))
    with failing_in_words():
        outcomes = numbers.mapInArrow(task, OUTCOME).collect()
    for outcome in sorted(outcomes, key=lambda row: row["number"]):
        if outcome["refusal"]:
            raise OlistError(outcome["refusal"])
    reports = {outcome["number"]: pickle.loads(outcome["report"]) for outcome in outcomes}
    return [reports[number] for number in range(len(units))]


@contextmanager
def failing_in_words() -> Iterator[None]:
    """Raise OlistError with the cause of whatever Spark fails with in the block."""
    try:
        yield
    except Exception as error:
        raise OlistError(cause_of(error)) from error


def cause_of(error: Exception) -> str:
    """Return one sentence of why Spark gave a job up: the task's own cause, not what Spark says around it."""
    text = str(error).strip()
    if failed := _FAILED.findall(text):
        return f"A task of Spark failed for {failed[-1].rstrip('.')}; run again once that is mended."
    if lost := _LOST.findall(text):
        return (
            f"Spark lost each executor that worked on a unit: {lost[-1].strip().rstrip('.')}; give executors more "
            "memory (spark.executor.memory, spark.executor.memoryOverhead) and run again."
        )
    first = next(iter(text.splitlines()), type(error).__name__)
    why = [first, *_SAID.findall(text)][-1].strip().rstrip(".")
    return f"Spark gave the work up: {why}; logs/spark.log below OLIST_HOME says more."


def name_of(unit: PieceOfWork | None) -> str:
    """Return what a person calls a unit, whatever became of it."""
    return "a unit that could not be read" if unit is None else unit.name
