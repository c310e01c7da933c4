"""Spark in the place of this process: the session of a step, and the runner of its units.

What belongs here: what `steps` needs of Spark, from the settings. What does not: session and tasks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from olist_pipeline.settings import Settings
from olist_pipeline.spark.session import cores_of, leave, place_of, session_at
from olist_pipeline.spark.tasks import run_on_spark
from olist_pipeline.validation.units import PieceT, ReportT, Runner

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def working(settings: Settings) -> Iterator[tuple[SparkSession, list[str]]]:
    """Yield the session, started where there is none, and the folders of modules that tasks need; leave it afterwards.

    Raises OlistError where Spark does not start.
    """
    session = _session(settings)
    try:
        # Contexts may stand in a module beside the migration file (see `registry`).
        yield session, [str(settings.migration.parent)]
    finally:
        leave(settings.spark_master)


def spark_runner(settings: Settings) -> Runner:
    """Return the runner on Spark; starts the session where there is none, and raises OlistError where it cannot."""
    session, master = _session(settings), settings.spark_master

    def run(units: Sequence[PieceT], work: Callable[[PieceT], ReportT]) -> list[ReportT]:
        with working(settings) as (at_work, paths):
            return run_on_spark(at_work, paths, units, work)

    return Runner(run, cores_of(session, master), place_of(session, master))


def _session(settings: Settings) -> SparkSession:
    return session_at(settings.spark_master, settings.home / "logs" / "spark.log")
