"""Readers that query serving at full speed while contexts are cut over and rolled back, some of it killed half-way.

What belongs here: the soak itself, which the tests run for a moment, and its long run on real data. What does not:
asserting anything; the result says what was seen.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb

from olist_pipeline.errors import OlistError
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.release_manifest import DATABASE, Release
from olist_pipeline.serving import gate, journal, standby
from olist_pipeline.serving.cutover import GateOfRelease, cutover, rehearse
from olist_pipeline.serving.release import current_release
from olist_pipeline.serving.rollback import rollback
from olist_pipeline.serving.routing import served_schemas
from olist_pipeline.settings import CutoverRules, Settings
from olist_pipeline.stores.routes import SERVED_FROM_NEW
from olist_pipeline.stores.schema import ready_url

SWITCHES, READERS, KILLED = 200, 2, 0.25
TABLES_AN_ANSWER = 3

Fork = multiprocessing.get_context("fork")
Switch = Callable[[str, bool], float]
"""Switch a context, to new or back to old; return the seconds until it had its effect."""
Contents = Mapping[str, Mapping[str, tuple[object, ...]]]
"""What a table holds on each side: rows, and the sum of their hashes."""


@dataclass
class Soaked:
    """What was seen: answers and failures of the readers, switches done, refused and killed, seconds of each kind."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)
    killed: int = 0
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"cutover": [], "rollback": []})
    releases_seen: set[int] = field(default_factory=set)

    @property
    def switches(self) -> int:
        """The switches that came to their end."""
        return sum(map(len, self.seconds.values()))


def soak(serving: Path, act: Switch, *, switches: int, readers: int, killed: float, seed: int) -> Soaked:
    """Switch contexts at random `switches` times, a share of `killed` by SIGKILL, under `readers` reading processes."""
    release = current_release(serving)
    assert release is not None, "there must be a release"
    contents = _contents(serving, release)
    stop = Fork.Event()
    reading = [_start(_read, serving, release, contents, stop, seed + number) for number in range(readers)]
    result = Soaked()
    chance = random.Random(seed)
    while result.switches + result.killed < switches and not result.failures:
        _switch_once(serving, act, chance, killed, result)
    stop.set()
    for process, answers in reading:
        count, seen, failures = answers.recv()
        process.join()
        result.answers += count
        result.releases_seen |= seen
        result.failures += failures
    return result


def _switch_once(serving: Path, act: Switch, chance: random.Random, killed: float, result: Soaked) -> None:
    """Switch one context in a process of its own, which is killed half-way with a probability of `killed`."""
    routes = journal.present_state(serving).routes
    context = chance.choice(sorted(routes))
    forward = routes[context] not in SERVED_FROM_NEW
    process, results = _start(_act, act, context, forward)
    if chance.random() < killed:
        time.sleep(chance.uniform(0, 0.15))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        result.killed += 1
        return
    seconds, problem = results.recv()
    process.join()
    if problem:
        result.failures.append(problem)
    elif seconds is not None:
        result.seconds["cutover" if forward else "rollback"].append(seconds)


def _act(results: Connection, act: Switch, context: str, forward: bool) -> None:
    try:
        results.send((act(context, forward), ""))
    except OlistError as error:
        is_refusal = "would change nothing yet" in str(error) or "served beside each other" in str(error)
        results.send((None, "" if is_refusal else str(error)))
    except Exception as error:  # the driver must hear of anything
        results.send((None, repr(error)))


def _read(results: Connection, serving: Path, release: Release, contents: Contents, stop: Event, seed: int) -> None:
    """Ask `current` for some tables and for its routes, over and over; tell every answer that is not of one release."""
    chance, answers, failures, seen = random.Random(seed), 0, list[str](), set[int]()
    while not stop.is_set():
        try:
            folder = (serving / "current").resolve()
            with duckdb.connect(str(folder / DATABASE), read_only=True, config={"threads": 1}) as connection:
                failures += _mixed(connection, release, contents, chance.sample(sorted(contents), TABLES_AN_ANSWER))
            seen.add(int(folder.name))
            answers += 1
        except Exception as error:  # any failure of a reader is what the soak looks for
            failures.append(repr(error))
    results.send((answers, seen, failures))


def _mixed(
    connection: duckdb.DuckDBPyConnection, release: Release, contents: Contents, tables: list[str]
) -> Iterator[str]:
    routes = dict(connection.execute("SELECT context, route FROM about.migration_routes").fetchall())
    schemas = served_schemas({name: release.tables[name] for name in tables}, routes)
    for name, schema in schemas.items():
        if _content(connection, f'main."{name}"') != contents[name][schema]:
            yield f"{name} is not that of {schema}, which the routes {json.dumps(routes)} name"


def _contents(serving: Path, release: Release) -> Contents:
    with duckdb.connect(str((serving / "current").resolve() / DATABASE), read_only=True) as connection:
        return {
            name: {side: _content(connection, f'"{side}"."{name}"') for side in release.sources(name)}
            for name in release.tables
        }


def _content(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[object, ...]:
    [row] = connection.execute(f"SELECT count(*), sum(hash(r)) FROM {relation} AS r").fetchall()
    return tuple(row)


def _start(function: Callable[..., None], *arguments: object) -> tuple[multiprocessing.Process, Connection]:
    receiver, sender = Fork.Pipe(duplex=False)
    process = Fork.Process(target=function, args=(sender, *arguments), daemon=True)
    process.start()
    sender.close()
    return process, receiver  # type: ignore[return-value]


def switcher(settings: Settings, objections: Callable[[str], GateOfRelease]) -> Switch:
    """Return a switch that does what the commands do: `objections` are the gate's, by context."""

    def act(context: str, forward: bool) -> float:
        if forward and journal.present_state(settings.serving).routes[context] == "old":
            rehearse(settings, context, by="soak", reason="soaked")
        started = time.perf_counter()
        if forward:
            cutover(settings, context, objections(context), by="soak", reason="soaked")
        else:
            rollback(settings, context, by="soak", reason="soaked")
        seconds = time.perf_counter() - started
        standby.prepare(settings.serving)
        return seconds

    return act


def measure(landing: Path, home: Path) -> None:
    """Print what a long soak over the home of a run shows, with the gate as it is for people."""
    settings = Settings(home / "run", landing, None, cutover=CutoverRules(streak=1))
    url = ready_url(settings)
    act = switcher(
        settings,
        lambda context: lambda release: gate.cutover_objections(settings, url, release, context, date.today()),
    )
    started = time.perf_counter()
    seen = soak(settings.serving, act, switches=SWITCHES, readers=READERS, killed=KILLED, seed=1)
    print(f"\nsoak, {SWITCHES} switches of {len(CONTEXTS)} contexts under {READERS} readers")
    print(f"  {'seconds':<16} {time.perf_counter() - started:6.1f} s")
    print(f"  {'answers':<16} {seen.answers:6,}   of {len(seen.releases_seen)} releases")
    print(f"  {'failed answers':<16} {len(seen.failures):6,}   {'; '.join(seen.failures[:3])}")
    print(f"  {'killed':<16} {seen.killed:6,}")
    for kind, seconds in seen.seconds.items():
        median, slowest = sorted(seconds)[len(seconds) // 2], max(seconds)
        print(
            f"  {kind:<16} {len(seconds):6,}   median {median:.2f} s, slowest {slowest:.2f} s until it has its effect"
        )
    print(f"  recorded in PostgreSQL afterwards: {journal.bring_to_database(settings.serving, url)} acts")
