"""The new pipeline alone beside the old one alone, at the same data.

What belongs here: timing intake, validation and dbt new against dbt old with its tests, by turns. What does not:
Dagster, comparison and serving (see `run`).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

from olist_pipeline.intake.span import as_of, purchase_span
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.dbt import build_arguments
from olist_pipeline.registry import LANDING, STEPS
from olist_pipeline.settings import DBT, DBT_DIR, Settings
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import ready_url
from olist_pipeline.warehouse import NEW, OLD

ROUNDS = 5


def measure(landing: Path, home: Path) -> None:
    """Print medians of rounds that alternate, after a run over the same home has filled the stores."""
    settings = Settings(home / "run", landing, None)
    settings.export()
    url = ready_url(settings)
    parts: dict[str, Callable[[], None]] = {
        "dbt old, with its data tests": lambda: _dbt(settings, OLD),
        "dbt old, with its unit tests too": lambda: _dbt(settings, OLD, unit_tests=True),
        "intake": lambda: _take_in(settings, url),
        "validation": lambda: _validate(settings, url),
        "dbt new, with its tests": lambda: _dbt(settings, NEW),
    }
    rounds = [{name: _seconds(part) for name, part in parts.items()} for _ in range(ROUNDS)]
    print(f"one pipeline alone, medians of {ROUNDS}, warm")
    for name in parts:
        print(f"  {name:<34} {median(one[name] for one in rounds):6.1f} s")
    old, tested, *new = parts
    for against in (old, tested):
        ratio = median(sum(one[name] for name in new) / one[against] for one in rounds)
        whole = median(sum(one[name] for name in new) for one in rounds)
        print(f"  new alone {whole:.1f} s: {ratio:.2f} x {against}")
    print()


def _dbt(settings: Settings, tree: str, *, unit_tests: bool = False) -> None:
    arguments = build_arguments(tree, as_of(settings.landing))
    if unit_tests:
        arguments = [part for part in arguments if part not in ("--exclude-resource-type", "unit_test")]
    target = ["--target-path", str(settings.dbt_target / "bench"), "--log-path", str(settings.dbt_target / "logs")]
    flags = ["--log-level-file", "info", "--no-write-json", "--cache-selected-only"]
    command = [str(DBT), *flags, *arguments, "--select", f"path:models/{tree}", *target]
    subprocess.run(command, cwd=DBT_DIR, check=True, stdout=subprocess.DEVNULL)


def _take_in(settings: Settings, url: str) -> None:
    for table in LANDING.values():
        run_intake(settings, url, table, date.today(), "bench")


def _validate(settings: Settings, url: str) -> None:
    first, last = purchase_span(settings.landing, MonthRange.until(date.today()))
    months = list(MonthRange(first.date().replace(day=1), last.date().replace(day=1)))
    for step in STEPS:
        run_validation(settings, url, step, months if step.is_monthly else None, "bench")


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
