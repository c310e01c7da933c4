"""A stand-alone cluster of Spark on this machine, of which workers are killed in the middle: the result is the same.

What belongs here: a master, workers, and the death of some. What does not: what is run and compared (`engines`).

    python -m benchmarks.cluster [LANDING] [--orders 1000] [--keep FOLDER]

Runs a generated landing of which a fifth is spoilt and three tables are in parts, or another one, with Polars and on
the cluster, and compares all that they left. A worker is killed with its executors once the first units of sales are
done, sales being the first of six steps; another one takes its place. A second worker is killed in the middle of dbt's
new tables, while a job is at work; each time more of them are, where none took a task along. Exit code 1 where anything
differs, or where one of both lost no task: nothing was proven then.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from benchmarks.engines import configured, differences, end_with, landing_in, run_with, working_folder
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_REVIEWS, ORDERS
from olist_pipeline.landing.parts import folder_name
from olist_pipeline.spark.requirements import check

HERE = "127.0.0.1"
WORKERS = 2
CORES = 2
"""Of a worker. An application has as many in all, one of each worker while there are two: two are at work at a time."""
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy the environment names: it does not reach this machine's loopback."""
LOG = "SparkListener"
VALIDATION, DBT_NEW = "olist", "olist dbt new"
"""The names of the applications that lose workers."""
PARTS = 4
KILLS = 8
"""So many workers are killed until one takes a task along."""


@dataclass
class Cluster:
    """A master and its workers, each a group of processes with its executors; `folder` has their logs and files."""

    folder: Path
    port: int
    page: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """The master, and the workers as they were started."""

    @property
    def master(self) -> str:
        """The address of the master."""
        return f"spark://{HERE}:{self.port}"

    def state(self) -> Any:
        """Return what the master says of its workers and applications."""
        with DIRECTLY.open(f"http://{HERE}:{self.page}/json/") as answer:
            return json.load(answer)

    def start_worker(self) -> None:
        """Start a worker, and wait until the master knows it."""
        before = self.state()["aliveworkers"]
        place = self.folder / f"worker{len(self.processes)}"
        size = ["--cores", str(CORES), "--memory", f"{CORES}g", "--webui-port", "0"]
        self.start("worker.Worker", "--host", HERE, *size, "--work-dir", str(place), self.master)
        _wait(lambda: self.state()["aliveworkers"] > before)

    def kill_last(self) -> None:
        """Kill the last worker, and wait until the master has noticed."""
        before = self.state()["aliveworkers"]
        self.kill(-1)
        _wait(lambda: self.state()["aliveworkers"] < before)

    def kill(self, place: int) -> None:
        """Kill a process of `processes` with its executors, so that nothing can be cleaned up."""
        with suppress(ProcessLookupError):
            os.killpg(self.processes[place].pid, signal.SIGKILL)
        self.processes[place].wait()

    def start(self, kind: str, *arguments: str) -> None:
        """Start a part of the cluster in a group of its own; what it says goes to a file."""
        import pyspark

        home = Path(pyspark.__file__).parent
        # Neither a lookup of this machine's name, nor pages that others reach.
        variables = {"SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": HERE}
        with (self.folder / "cluster.log").open("ab") as log:
            process = subprocess.Popen(
                [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, **variables, "SPARK_LOCAL_DIRS": str(self.folder)},
                start_new_session=True,
            )
        self.processes.append(process)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """Start a master and its workers; yield them once all are registered, and end them with their executors."""
    folder.mkdir()
    cluster = Cluster(folder, free_port(), free_port())
    try:
        cluster.start("master.Master", "--host", HERE, "--port", str(cluster.port), "--webui-port", str(cluster.page))
        _wait(lambda: cluster.state()["status"] == "ALIVE")
        for _ in range(WORKERS):
            cluster.start_worker()
        yield cluster
    finally:
        for place in reversed(range(len(cluster.processes))):
            cluster.kill(place)


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        return int(free.getsockname()[1])


def _wait(holds: Callable[[], Any], seconds: float = 600, pause: float = 0.1) -> None:
    """Wait until a condition holds; what cannot be asked yet does not hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, KeyError, ValueError):
            if holds():
                return
        time.sleep(pause)
    raise TimeoutError(f"the cluster was not ready within {seconds} s")


@dataclass
class RunningLog:
    """What the log of events of a running application says: how many jobs are at work, and what was lost."""

    logs: Path
    name: str
    path: Path | None = None
    read: int = 0
    jobs: int = 0
    removed: int = 0
    tasks: int = 0

    def is_at_work(self) -> bool:
        """Return whether the application is there and has a job; an earlier one of the name may have ended."""
        self.follow()
        return self.path is not None and self.jobs > 0

    def follow(self) -> None:
        """Read what was written since. A log has another name once its application has ended."""
        if self.path is None:
            self.path, self.read, self.jobs = self._running(), 0, 0
        if self.path is None:
            return
        has_ended = not self.path.exists()
        self._read(self.path.with_suffix("") if has_ended else self.path)
        if has_ended:
            self.path, self.jobs = None, 0

    def _read(self, path: Path) -> None:
        with suppress(FileNotFoundError), path.open("rb") as file:
            file.seek(self.read)
            whole, _, _ = file.read().rpartition(b"\n")
            self.read += len(whole) + 1 if whole else 0
            for line in whole.splitlines():
                self.jobs += _is(line, "JobStart") - _is(line, "JobEnd")
                self.removed += _is(line, "ExecutorRemoved")
                self.tasks += _is(line, "TaskEnd") and b"ExecutorLostFailure" in line

    def _running(self) -> Path | None:
        """Return the log of an application of the name that has not ended."""
        for path in self.logs.glob("*.inprogress"):
            with suppress(OSError):
                if f'"App Name":"{self.name}"' in path.read_text("utf-8", "replace"):
                    return path
        return None


def _is(line: bytes, event: str) -> bool:
    return line.startswith(f'{{"Event":"{LOG}{event}"'.encode())


def kill_in_the_middle(cluster: Cluster, home: Path, logs: Path, said: list[str]) -> None:
    """Kill a worker in the middle of sales, let another take its place, and kill that in the middle of dbt new.

    What was there at those moments is added to `said`.
    """
    units, tables = home / "outbox" / "sales" / "sales", home / "warehouse" / "new" / "new.db"

    def is_begun() -> bool:
        return tables.is_dir() and len(list(tables.iterdir())) > 4

    _wait(lambda: any(units.glob("*.quarantine.parquet")), 3600)
    done = len(list(units.glob("*.quarantine.parquet")))
    kills = kill_with_a_task(cluster, RunningLog(logs, VALIDATION), is_begun)
    said.append(f"{kills} workers were killed from when {done} units of sales were done")
    _wait(is_begun, 3600)
    begun = len(list(tables.iterdir()))
    kills = kill_with_a_task(cluster, RunningLog(logs, DBT_NEW), lambda: False)
    said.append(f"{kills} from when {begun} of dbt's new tables were begun")


def kill_with_a_task(cluster: Cluster, log: RunningLog, is_over: Callable[[], bool]) -> int:
    """Kill a worker while an application has a job, and start another, until a task was lost; return how many died.

    A job may leave the executor of that worker without a task, or end before the worker does.
    """
    for number in range(1, KILLS + 1):
        _wait(lambda: log.is_at_work() or is_over(), 3600, pause=0.01)
        if is_over():
            return number - 1
        removed, lost = log.removed, log.tasks
        cluster.kill_last()
        cluster.start_worker()
        # Tasks that were lost are said when their job has ended at the latest.
        _wait(lambda: not log.is_at_work() and (log.removed > removed or log.path is None), 3600)  # noqa: B023
        if log.tasks > lost:
            return number
    return KILLS


def cut_into_parts(landing: Path) -> None:
    """Put a folder of parts in the place of some files: intake of these tables is tasks, too."""
    for table in (ORDERS, ORDER_ITEMS, ORDER_REVIEWS):
        with (landing / table.file).open(encoding="utf-8", newline="") as file:
            header, *records = csv.reader(file)
        (landing / table.file).unlink()
        folder, size = landing / folder_name(table), -(-len(records) // PARTS)
        folder.mkdir()
        for number in range(PARTS):
            with (folder / f"{number}.csv").open("w", encoding="utf-8", newline="") as file:
                part = records[number * size : (number + 1) * size]
                csv.writer(file, lineterminator="\n").writerows([header, *part])


def lost_in(logs: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Return how many executors and how many of their tasks each application of `logs` lost, by its name and id."""
    found = {}
    for path in sorted(logs.iterdir()):
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        [name] = (event["App Name"] for event in events if event["Event"] == f"{LOG}ApplicationStart")
        removed = [event for event in events if event["Event"] == f"{LOG}ExecutorRemoved"]
        ended = (event["Task End Reason"]["Reason"] for event in events if event["Event"] == f"{LOG}TaskEnd")
        found[name, path.name] = (len(removed), sum(reason == "ExecutorLostFailure" for reason in ended))
    return found


@click.command()
@click.argument("landing", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--orders", default=1000, show_default=True, help="The size of a generated landing.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave homes and logs in this folder, which is made.")
def main(landing: Path | None, orders: int, keep: Path | None) -> None:
    """Run the pipeline on one machine, and on a cluster that loses workers; compare what is left."""
    check("spark://")
    with working_folder(keep) as folder:
        files, home = landing or landing_in(folder, orders, is_clean=False), folder / "spark"
        if not landing:
            cut_into_parts(files)
        run_with("polars", folder / "polars", files)
        logs, said = folder / "events", list[str]()
        logs.mkdir()
        conf = configured(folder, **{
            "spark.driver.host": HERE,
            "spark.driver.bindAddress": HERE,
            "spark.driver.memory": "1g",
            "spark.executor.memory": "600m",
            "spark.executor.cores": "1",
            "spark.cores.max": str(CORES),
            "spark.sql.shuffle.partitions": "4",
            "spark.ui.enabled": "false",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": logs.as_uri(),
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.compress": "false",
        })  # fmt: skip
        with cluster_in(folder / "cluster") as cluster:
            killer = threading.Thread(target=kill_in_the_middle, args=(cluster, home, logs, said), daemon=True)
            killer.start()
            run_with("spark", home, files, OLIST_SPARK_MASTER=cluster.master, **conf)
            killer.join(1)
        lost = lost_in(logs)
        found = differences(folder / "polars", home)
    click.echo("; ".join(said))
    for (name, application), (executors, tasks) in lost.items():
        click.echo(f"{name} ({application}) lost {executors} executors with {tasks} tasks")
    with_work = {name for (name, _), (_, tasks) in lost.items() if tasks}
    found += [
        f"{name} lost no task, so nothing was proven of it; give it more --orders"
        for name in (VALIDATION, DBT_NEW)
        if name not in with_work
    ]
    end_with(found)


if __name__ == "__main__":
    main()
