"""`make bench-scale ORDERS="20000 100000"`: how a first run and a night grow with the number of orders.

What belongs here: what is run at each size, what is kept of it, and which command does it. What does not: watching
processes (`watched`), making landings (`deliveries`), and tables and plots (`performance_page`).

    python -m benchmarks.scale [--json] [--keep FILE] [--page] ORDERS ...

For each size: generated files without their last day; a first run; a night in which that day has arrived; a night in
which a month has changed. `--keep` adds the results to a file of results, where those of the same size are replaced.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.deliveries import change_month, day_before, month_before_the_last
from benchmarks.performance_page import rendered, write_page
from benchmarks.watched import watch
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.synthetic import generate
from tests.environment import bare

RESULTS = PROJECT_DIR / "docs" / "performance.json"
STORES = ("landing", "intake", "staging", "warehouse.duckdb", "serving", "postgres")
RUN = [sys.executable, "-m", "olist_pipeline", "run"]
NIGHT = [sys.executable, "-m", "benchmarks.night"]
Result = dict[str, Any]
"""One size: orders, machine, and by run its seconds, cpu, peak_memory, steps and disk."""


def measure(orders: int, folder: Path) -> Result:
    """Return what three runs at one size took, each with its steps; `folder` is empty and for the measurement alone."""
    whole, landing, home = folder / "whole", folder / "landing", folder / "home"
    generate(whole, orders=orders, seed=1)
    day_before(whole, landing)
    environment = {**bare(), "OLIST_HOME": str(home), "OLIST_DATA_DIR": str(landing), "COLUMNS": "200"}
    environment["OLIST_QUARANTINE_LIMIT"] = "1"

    def run(command: Sequence[str]) -> Result:
        return {**asdict(watch(command, environment, home)), "disk": _disk(home, landing)}

    runs = {"first run": run(RUN)}
    for path in whole.iterdir():
        if not path.samefile(landing / path.name):
            shutil.copyfile(path, landing / path.name)
    runs["a day more"] = run(NIGHT)
    change_month(landing, month_before_the_last(landing))
    runs["a month changed"] = run(NIGHT)
    return {"orders": orders, "machine": machine(), "runs": runs}


def machine() -> Result:
    """Return what the figures depend on: the machine, its load, the versions, the commit."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT_DIR, capture_output=True, text=True, check=False
    )
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in ("dagster", "dbt-core", "duckdb", "polars")},
        "commit": commit.stdout.strip(),
    }


def kept(results: Sequence[Result], path: Path) -> list[Result]:
    """Add results to those of a file, in the place of those of the same sizes; return all, by size."""
    known = json.loads(path.read_text("utf-8")) if path.exists() else []
    sizes = {result["orders"] for result in results}
    found = sorted([*results, *(one for one in known if one["orders"] not in sizes)], key=lambda one: one["orders"])
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return found


def _disk(home: Path, landing: Path) -> dict[str, int]:
    """Return the bytes on the disk by store, and of the rest of the home; a file with several names counts once."""
    found = {name: _size(landing if name == "landing" else home / name) for name in STORES}
    return {**found, "rest": _size(home) - sum(found[name] for name in STORES if name != "landing")}


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if not file.is_symlink()]
    stats = [file.stat() for file in files if file.is_file()]
    return sum({(stat.st_dev, stat.st_ino): stat.st_blocks * 512 for stat in stats}.values())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size, print the figures, and keep them where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.splitlines()[0])
    parser.add_argument("orders", nargs="+", type=int, help="sizes, in orders")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add the results to those in FILE")
    parser.add_argument("--page", action="store_true", help="keep them for docs/performance.md, and write it")
    asked = parser.parse_args(arguments)
    results = []
    for orders in sorted(set(asked.orders)):
        with tempfile.TemporaryDirectory(prefix="olist-scale-") as folder:
            Path(folder).chmod(0o755)  # the embedded server may run as a user of its own
            results.append(measure(orders, Path(folder)))
    if asked.json:
        print(json.dumps(results, indent=1))
    else:
        print("\n".join(rendered(results)))
    if asked.keep:
        kept(results, asked.keep)
    if asked.page:
        write_page(kept(results, RESULTS))


if __name__ == "__main__":
    main()
