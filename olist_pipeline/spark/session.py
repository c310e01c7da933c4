"""The Spark session of this process: started by the first step that needs it, and on one machine shared by the others.

What belongs here: where the session runs, what this project sets of its configuration, and the runner that it is for
`steps`. What does not: what is run there (see `tasks`); everything else is set by Spark's own configuration
(`spark-defaults.conf`, SPARK_CONF_DIR).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.spark.requirements import address_here, check, is_remote
from olist_pipeline.spark.tasks import run_on_spark
from olist_pipeline.validation.units import PieceT, ReportT, Runner

SETTINGS = {
    "spark.app.name": "olist",
    # Two tasks that write the same files would get into each other's way.
    "spark.speculation": "false",
    "spark.ui.showConsoleProgress": "false",
}
_THREADS = "POLARS_MAX_THREADS"
WAIT_SECONDS, SETTLED_SECONDS = 30.0, 2.0
"""So long executors are waited for, and for others after one has come."""

_starting = threading.Lock()
_sessions: dict[str, SparkSession] = {}
"""By master. Spark's own idea of an active session is one of the thread, and steps have several."""

_gateways: list[Any] = []
"""The one to this process's Java, which outlives sessions."""


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


def session_at(master: str, log: Path) -> SparkSession:
    """Return the session of this process, on `master` where it has to be started; raises OlistError where it cannot.

    What Spark says for itself goes to the file `log`.
    """
    check(master)
    with _starting, _same_signals():
        if master not in _sessions:
            _sessions[master] = _started(master, log)
        return _sessions[master]


def leave(master: str) -> None:
    """End the session of this process where others wait for what it holds: a cluster's executors.

    dbt has applications of its own. A stand-alone master gives the first one all cores, and an idle one those of an
    executor that was lost, too: the others would wait for ever.
    """
    with _starting:
        if not master.startswith("local") and not is_remote(master) and master in _sessions:
            _sessions.pop(master).stop()


def place_of(session: SparkSession, master: str) -> dict[str, str]:
    """Return where a session runs: its master, and its application and the address of its UI where it tells them."""
    if is_remote(master):
        return {"spark_master": master}
    context = session.sparkContext
    ui = {"spark_ui": context.uiWebUrl} if context.uiWebUrl else {}
    return {"spark_master": context.master, "spark_application": context.applicationId, **ui}


def cores_of(session: SparkSession, master: str) -> int:
    """Return how many tasks run side by side.

    A server of Spark Connect does not say how many cores it has; `spark.default.parallelism` of its configuration does.
    A cluster has as many as this application is configured to have. Where it may have all that there are, it has those
    of the executors that have come within `WAIT_SECONDS`: right after its start none is there yet.
    """
    if is_remote(master):
        return int(session.conf.get("spark.default.parallelism", "8") or 8)
    context = session.sparkContext
    if master.startswith("local"):
        return int(context.defaultParallelism)
    conf = context.getConf()
    cores = int(conf.get("spark.default.parallelism", "0") or 0) or _granted(conf) or _come(context)
    return max(1, cores // int(conf.get("spark.task.cpus", "1") or 1))


def _granted(conf: SparkConf) -> int:
    """Return how many cores an application is configured to have, 0 where that is not said."""
    a_core = int(conf.get("spark.executor.cores", "0") or 0)
    executors = conf.get("spark.dynamicAllocation.maxExecutors") or conf.get("spark.executor.instances") or "0"
    return int(conf.get("spark.cores.max", "0") or 0) or int(executors) * a_core


def _come(context: SparkContext) -> int:
    """Return how many cores the executors have that have come, once no more have come for a moment."""
    end, seen, since = time.monotonic() + WAIT_SECONDS, 0, time.monotonic()
    while time.monotonic() < end and (not seen or time.monotonic() < since + SETTLED_SECONDS):
        time.sleep(0.1)
        # The driver is one of those that keep blocks; Spark says 2 cores of none.
        executors = context._jsc.sc().getExecutorMemoryStatus().size() - 1  # noqa: SLF001 - PySpark does not tell
        if executors > seen:
            seen, since = executors, time.monotonic()
    return int(context.defaultParallelism)


def _started(master: str, log: Path) -> SparkSession:
    # Tasks of this machine run in this environment; executors elsewhere have a Python of their own.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.update(address_here(master))
    try:
        return SparkSession.builder.remote(master).getOrCreate() if is_remote(master) else _started_here(master, log)
    except Exception as error:
        said = str(error).strip() or type(error).__name__
        raise OlistError(
            f"Spark does not start with OLIST_SPARK_MASTER {master!r}: {said.splitlines()[0].rstrip('.:')}; "
            f"{log} says more."
        ) from error


def _started_here(master: str, log: Path) -> SparkSession:
    conf = SparkConf().setAll(SETTINGS.items()).setMaster(master)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        if not _gateways:
            _gateways.append(launch_gateway(conf, {"stdout": file, "stderr": file}))
    context = SparkContext(conf=conf, gateway=_gateways[0])
    # As many threads as a task has cores, or the tasks of one machine get into each other's way.
    context.environment.setdefault(_THREADS, context.getConf().get("spark.task.cpus", "1"))
    return SparkSession.builder.getOrCreate()


@contextmanager
def _same_signals() -> Iterator[None]:
    """Keep this process's answer to Ctrl+C: Spark puts one of its own in its place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if before is not None:  # None is one that was not set by Python
            signal.signal(signal.SIGINT, before)
