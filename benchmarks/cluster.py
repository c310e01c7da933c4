"""A stand-alone cluster of Spark on this machine, of which a worker is killed in the middle: the result is the same.

What belongs here: a master, workers, and the death of one. What does not: what is run and compared (`same`).

    python -m benchmarks.cluster [--orders 3000] [--rows-a-unit 2000] [--landing FOLDER]

Validates a generated landing of which a fifth is spoilt, or another one, with Polars and on the cluster, and compares
every staged row, quarantine row, event id and version. The last worker is killed, with its executor, once the first
units of sales are done: sales is the first of six steps. Exit code 1 where anything differs.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.same import differences_of, left_by, spoilt
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.spark.requirements import check

HERE = "127.0.0.1"
WORKERS = 2
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy the environment names: it does not reach this machine's loopback."""
DEFAULTS = f"""
spark.driver.host {HERE}
spark.driver.bindAddress {HERE}
spark.driver.memory 1g
spark.executor.memory 600m
spark.network.timeout 600s
"""


@dataclass
class Cluster:
    """A master and its workers, each a group of processes with its executors."""

    master: str
    pages: str
    workers: list[subprocess.Popen[bytes]]

    def state(self) -> Any:
        """Return what the master says of its workers and applications."""
        with DIRECTLY.open(f"{self.pages}/json/") as answer:
            return json.load(answer)

    def kill_last(self) -> None:
        """Kill the last worker with its executors, so that nothing can be cleaned up."""
        os.killpg(self.workers[-1].pid, signal.SIGKILL)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """Start a master and workers of one core each; yield them once all are registered."""
    port, page = free_port(), free_port()
    master = ["master.Master", "--host", HERE, "--port", str(port), "--webui-port", str(page)]
    worker = ["worker.Worker", "--host", HERE, "--cores", "1", "--memory", "700m", f"spark://{HERE}:{port}"]
    started = [_start(master, folder)]
    try:
        cluster = Cluster(f"spark://{HERE}:{port}", f"http://{HERE}:{page}", [])
        _wait(lambda: cluster.state()["status"] == "ALIVE")
        for number in range(WORKERS):
            place = folder / f"worker{number}"
            cluster.workers.append(_start([*worker[:-1], "--work-dir", str(place), worker[-1]], folder))
            started.append(cluster.workers[-1])
        _wait(lambda: cluster.state()["aliveworkers"] == WORKERS)
        yield cluster
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(arguments: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a part of the cluster in a group of its own; what it says goes to a file."""
    import pyspark

    home = Path(pyspark.__file__).parent
    script = home / "bin" / "spark-class"
    kind, *rest = arguments
    variables = {"SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_DIRS": str(folder)}
    with (folder / "cluster.log").open("ab") as log:
        return subprocess.Popen(
            [script, f"org.apache.spark.deploy.{kind}", *rest],
            stdout=log,
            stderr=log,
            env={**os.environ, **variables},
            start_new_session=True,
        )


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        return int(free.getsockname()[1])


def _wait(holds: Any, seconds: float = 600) -> None:
    """Wait until a condition holds; what cannot be asked yet does not hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, KeyError):
            if holds():
                return
        time.sleep(0.2)
    raise TimeoutError(f"the cluster was not ready within {seconds} s")


def _kill_in_the_middle(cluster: Cluster, outbox: Path, seen: dict[str, int]) -> None:
    """Kill a worker once a unit of sales is done; keep how many were by then, and how many workers lived."""
    _wait(lambda: any(outbox.glob("*.quarantine.parquet")), 1800)
    seen["done"] = len(list(outbox.glob("*.quarantine.parquet")))
    seen["before"] = cluster.state()["aliveworkers"]
    cluster.kill_last()


@click.command()
@click.option("--orders", default=3000, show_default=True)
@click.option("--rows-a-unit", default=2000, show_default=True)
@click.option("--landing", type=click.Path(exists=True, path_type=Path), help="Files to validate; else generated ones.")
def main(orders: int, rows_a_unit: int, landing: Path | None) -> None:
    """Validate on one machine and on a cluster that loses a worker; compare what is left."""
    check("local[1]")
    folder = Path(tempfile.mkdtemp(prefix="olist-cluster-"))
    folder.chmod(0o755)  # the embedded server may run as a user of its own
    try:
        (folder / "spark-defaults.conf").write_text(DEFAULTS)
        files = landing or spoilt(folder / "landing", orders, 1)
        expected = left_by(PROJECT_DIR, folder, files, rows_a_unit, "one machine", OLIST_ENGINE="polars")
        seen: dict[str, int] = {}
        with cluster_in(folder) as cluster:
            outbox = folder / "home cluster" / "outbox" / "sales" / "sales"
            killer = threading.Thread(target=_kill_in_the_middle, args=(cluster, outbox, seen), daemon=True)
            killer.start()
            environment = {"OLIST_SPARK_MASTER": cluster.master, "SPARK_CONF_DIR": str(folder)}
            begun = time.monotonic()
            found = left_by(PROJECT_DIR, folder, files, rows_a_unit, "cluster", OLIST_ENGINE="spark", **environment)
            seconds = time.monotonic() - begun
            killer.join()
            state = cluster.state()
            differences = differences_of(expected, found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    [application] = state["completedapps"]
    alive = f"{seen['before']} workers before and {state['aliveworkers']} after"
    click.echo(f"{application['id']}: {seconds:.0f} s; one was killed when {seen['done']} units were done: {alive}.")
    click.echo("\n".join(differences) or "Everything is the same.")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
