"""Spark in the place of this process: the runner of a step's units.

What belongs here: what `steps` needs of Spark, from the settings. What does not: session and tasks themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from olist_pipeline.settings import Settings
from olist_pipeline.spark.session import cores_of, leave, place_of, session_at
from olist_pipeline.spark.tasks import run_on_spark
from olist_pipeline.validation.units import PieceT, ReportT, Runner


def spark_runner(settings: Settings) -> Runner:
    """Return the runner on Spark; starts the session where there is none, and raises OlistError where it cannot."""
    master = settings.spark_master
    session = session_at(master, settings.home / "logs" / "spark.log")

    def run(units: Sequence[PieceT], work: Callable[[PieceT], ReportT]) -> list[ReportT]:
        try:
            # Contexts may stand in a module beside the migration file (see `registry`).
            return run_on_spark(session, [str(settings.migration.parent)], units, work)
        finally:
            leave(master)

    return Runner(run, cores_of(session, master), place_of(session, master))
