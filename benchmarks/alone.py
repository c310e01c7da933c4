"""The new pipeline alone beside the old one alone, at the same data.

What belongs here: timing intake, validation and dbt new against dbt old with its tests, by turns: with everything made
anew, with every event new besides, and as on a night on which some orders of one month are expected a day later. Old
knows no months: it makes everything anew every time. What does not: Dagster, comparison and serving (see `run`).

Old is started as a company with dbt alone starts it. New is started as a run starts it: by a fork server, which imports
dbt beside intake; what that takes of processors is counted with dbt new. As in a run, it parses the project in the
environment of the build: in another one dbt would parse some of it anew, by threads, and the server start again. Each
tree has a target folder of its own, and a night does its months from the changed one on.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from benchmarks.deliveries import change_month, last_busy_month
from olist_pipeline.intake.span import as_of, dated_span
from olist_pipeline.migration.model import NEW, OLD
from olist_pipeline.months import MonthRange, month_text
from olist_pipeline.orchestration.dbt_build import Window, build_arguments, window_variables
from olist_pipeline.orchestration.dbt_projects import as_of_variables, exported
from olist_pipeline.orchestration.forked_dbt import ASKING, ForkServer
from olist_pipeline.registry import LANDING, STEPS
from olist_pipeline.settings import DBT, DBT_DIR, Settings
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.stores.postgres import connect, transaction
from olist_pipeline.stores.schema import migrate, ready_url

ROUNDS = 5

Part = Callable[[], None]


class Cost(NamedTuple):
    """Seconds of a part on the clock, and of processors, PostgreSQL's not among them."""

    clock: float
    processors: float


def measure(landing: Path, home: Path) -> None:
    """Print medians of rounds that alternate, after a run over the same home has filled the stores."""
    delivered = home / "delivered"
    shutil.copytree(landing, delivered)
    settings = Settings(home / "run", delivered, None)
    settings.export()
    url = ready_url(settings)
    first, last = (moment.date().replace(day=1) for moment in dated_span(delivered, LANDING["orders"], date.today()))
    everything = list(MonthRange(first, last))
    changed = date.fromisoformat(f"{last_busy_month(delivered)}-01")
    night = list(MonthRange(changed, last))
    old: dict[str, Part] = {
        "dbt old, with its data tests": lambda: _dbt(settings, OLD),
        "dbt old, with its unit tests too": lambda: _dbt(settings, OLD, unit_tests=True),
    }
    new: dict[str, dict[str, Part]] = {
        "everything anew": {
            "intake": lambda: _ingest(settings, url),
            "validation": lambda: _validate(settings, url, everything, is_forced=True),
            "dbt new, with its tests": lambda: _dbt(settings, NEW),
        },
        "everything anew, and all events new": {
            "intake, once more": lambda: _ingest(settings, url),
            "validation with its events": lambda: _validate(settings, empty_database(url), everything, is_forced=True),
            "dbt new, once more": lambda: _dbt(settings, NEW),
        },
        "a night with one month changed": {
            "intake, of what changed": lambda: _ingest(settings, url),
            "validation, from that month on": lambda: _validate(settings, url, night),
            "dbt new, from that month on": lambda: _dbt(settings, NEW, (changed, last)),
        },
    }
    before: dict[str, Part] = {
        "everything anew": lambda: shutil.rmtree(settings.intake),
        "everything anew, and all events new": lambda: shutil.rmtree(settings.intake),
        "a night with one month changed": lambda: change_month(delivered, month_text(changed)),
    }
    for warm_up in (new["everything anew"]["dbt new, with its tests"], *old.values()):
        warm_up()  # dbt parses the project for a target folder once
    rounds = [_round(settings, old, new, before) for _ in range(ROUNDS)]
    print(f"one pipeline alone, medians of {ROUNDS}, warm: seconds on the clock, of processors")
    for name in rounds[0]:
        clock, processors = (median(one[name][kind] for one in rounds) for kind in (0, 1))
        print(f"  {name:<34} {clock:6.1f} s {processors:6.1f} s")
    for what, parts in new.items():
        for against in old:
            clock, processors = (
                median(sum(one[name][kind] for name in parts) / one[against][kind] for one in rounds) for kind in (0, 1)
            )
            print(f"  new alone, {what}: {clock:.2f} x {against}; of processors {processors:.2f} x")
    with transaction(empty_database(url, anew=False)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event_store.domain_events")
        [events] = cursor.fetchone() or (0,)
    clock, _ = (median(one["validation with its events"][kind] for one in rounds) for kind in (0, 1))
    print(f"  {events:,} events of an empty store, validation included: {events / clock:,.0f} a second of the clock\n")


def empty_database(url: str, *, anew: bool = True) -> str:
    """Return the address of another database of the server, which is made anew and brought to our schema."""
    name = "bench_events"
    parts = urlsplit(url)
    other = urlunsplit(parts._replace(path=f"/{name}"))
    if anew:
        with closing(connect(url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        migrate(other)
    return other


def _round(
    settings: Settings, old: dict[str, Part], new: dict[str, dict[str, Part]], before: dict[str, Part]
) -> dict[str, Cost]:
    costs = {name: _cost(part) for name, part in old.items()}
    for what, parts in new.items():
        before[what]()
        with exported(_environment(settings)):
            server = ForkServer(DBT_DIR, ["--quiet", "parse", *_paths(settings, NEW)])
        costs |= {name: _cost(part) for name, part in parts.items()}
        _await_forked(server)
        last = list(parts)[-1]
        ended = _cost(server.stop)
        costs[last] = Cost(costs[last].clock, costs[last].processors + ended.processors)
    return costs


def _await_forked(server: ForkServer) -> None:
    """Wait until the server has waited for the dbt that it forked, whose times would be nobody's else."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    deadline = time.monotonic() + 5
    # One child is there to stay: what multiprocessing tracks its resources with.
    while len(children.read_text().split()) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)


def _dbt(settings: Settings, tree: str, window: Window | None = None, *, unit_tests: bool = False) -> None:
    arguments = build_arguments(tree, is_whole=window is None)
    if unit_tests:
        arguments = [part for part in arguments if part not in ("--exclude-resource-type", "unit_test")]
    program = ASKING if tree == NEW else DBT
    flags = ["--log-level-file", "info", "--no-write-json", "--cache-selected-only"]
    command = [*program, *flags, *arguments, "--select", f"path:models/{tree}", *_paths(settings, tree)]
    environment = {**os.environ, **_environment(settings), **window_variables(window)}
    subprocess.run(command, cwd=DBT_DIR, env=environment, check=True, stdout=subprocess.DEVNULL)


def _environment(settings: Settings) -> dict[str, str]:
    return as_of_variables(as_of(settings.landing, LANDING["orders"]))


def _paths(settings: Settings, tree: str) -> list[str]:
    target = settings.dbt_target / f"bench_{tree}"
    return ["--target-path", str(target), "--log-path", str(settings.dbt_target / "logs")]


def _ingest(settings: Settings, url: str) -> None:
    for table in LANDING.values():
        run_intake(settings, url, table, date.today(), "bench")


def _validate(settings: Settings, url: str, months: Sequence[date], *, is_forced: bool = False) -> None:
    for step in STEPS:
        of_step = months if step.is_monthly else None
        run_validation(settings, url, step, of_step, "bench", LANDING["orders"], is_forced=is_forced)


def _cost(work: Part) -> Cost:
    started, used = time.perf_counter(), _processors()
    work()
    return Cost(time.perf_counter() - started, _processors() - used)


def _processors() -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)
