"""The new pipeline alone beside the old one alone, at the same data.

What belongs here: timing intake, validation and dbt new against dbt old with its tests, by turns: with everything made
anew, and with the last month made anew, as on a night on which only its orders changed. Old knows no months: it makes
everything anew every time. What does not: Dagster, comparison and serving (see `run`).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from statistics import median

from olist_pipeline.intake.span import as_of, purchase_span
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.dbt import Window, as_of_variables, build_arguments, window_variables
from olist_pipeline.registry import LANDING, STEPS
from olist_pipeline.settings import DBT, DBT_DIR, Settings
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import ready_url
from olist_pipeline.warehouse import NEW, OLD

ROUNDS = 5

Part = Callable[[], None]


def measure(landing: Path, home: Path) -> None:
    """Print medians of rounds that alternate, after a run over the same home has filled the stores."""
    settings = Settings(home / "run", landing, None)
    settings.export()
    url = ready_url(settings)
    first, last = (moment.date().replace(day=1) for moment in purchase_span(landing, MonthRange.until(date.today())))
    everything = list(MonthRange(first, last))
    old: dict[str, Part] = {
        "dbt old, with its data tests": lambda: _dbt(settings, OLD),
        "dbt old, with its unit tests too": lambda: _dbt(settings, OLD, unit_tests=True),
    }
    new: dict[str, dict[str, Part]] = {
        "everything anew": {
            "intake": lambda: _take_in(settings, url),
            "validation": lambda: _validate(settings, url, everything),
            "dbt new, with its tests": lambda: _dbt(settings, NEW),
        },
        "the last month anew": {
            "intake, all files": lambda: _take_in(settings, url),
            "validation, the last month": lambda: _validate(settings, url, [last]),
            "dbt new, the last month": lambda: _dbt(settings, NEW, (last, last)),
        },
    }
    new["everything anew"]["dbt new, with its tests"]()  # dbt parses the project for a target folder once
    rounds = [
        {name: _seconds(part) for parts in (old, *new.values()) for name, part in parts.items()} for _ in range(ROUNDS)
    ]
    print(f"one pipeline alone, medians of {ROUNDS}, warm")
    for name in rounds[0]:
        print(f"  {name:<34} {median(one[name] for one in rounds):6.1f} s")
    for what, parts in new.items():
        whole = [sum(one[name] for name in parts) for one in rounds]
        print(f"  new alone, {what}: {median(whole):.1f} s")
        for against in old:
            ratio = median(seconds / one[against] for seconds, one in zip(whole, rounds, strict=True))
            print(f"    {ratio:.2f} x {against}")
    print()


def _dbt(settings: Settings, tree: str, window: Window | None = None, *, unit_tests: bool = False) -> None:
    arguments = build_arguments(tree, is_whole=window is None)
    if unit_tests:
        arguments = [part for part in arguments if part not in ("--exclude-resource-type", "unit_test")]
    target = ["--target-path", str(settings.dbt_target / "bench"), "--log-path", str(settings.dbt_target / "logs")]
    flags = ["--log-level-file", "info", "--no-write-json", "--cache-selected-only"]
    command = [*DBT, *flags, *arguments, "--select", f"path:models/{tree}", *target]
    environment = {**os.environ, **as_of_variables(as_of(settings.landing)), **window_variables(window)}
    subprocess.run(command, cwd=DBT_DIR, env=environment, check=True, stdout=subprocess.DEVNULL)


def _take_in(settings: Settings, url: str) -> None:
    for table in LANDING.values():
        run_intake(settings, url, table, date.today(), "bench")


def _validate(settings: Settings, url: str, months: Sequence[date]) -> None:
    for step in STEPS:
        run_validation(settings, url, step, months if step.is_monthly else None, "bench")


def _seconds(work: Part) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
