"""Faults: commands that are killed, servers that are stopped and files that are damaged, and what is left of a home.

What belongs here: the faults, and the table of what became of each. What does not: the homes that they befall
(`homes`), and the proof (`proof`).

    python -m benchmarks.faults --kills 200 --stops 50 --corruptions 30 --seed 1

Each fault has a copy of a prepared home for itself. After it comes a run, and then the full proof against a home that
was never disturbed. A command that was not killed must succeed, or fail in one sentence.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.homes import SWITCHED, Homes, Place, in_process, remove, server_of, wait

ORDERS = 300
MONTHS = ("2017-03", "2018-05")


@dataclass(frozen=True)
class Kind:
    """A kind of command that is disturbed: the prepared home that it starts from, and the run that comes after it."""

    name: str
    start: str
    arguments: tuple[str, ...]
    healing: tuple[str, ...]
    weight: int


RUN = Kind("run", "changed", ("run",), ("run",), 3)
BACKFILL = Kind(
    "backfill", "finished", ("backfill", "sales", "--from", MONTHS[0], "--to", MONTHS[1]), ("run", "--force"), 2
)
CUTOVER = Kind("cutover", "finished", ("cutover", SWITCHED), ("run",), 2)
ROLLBACK = Kind("rollback", "switched", ("rollback", SWITCHED), ("run",), 2)
KINDS = (RUN, BACKFILL, CUTOVER, ROLLBACK)
NEXT = (["status"], ["run"], ["releases"], ["parity"], ["rollback", SWITCHED], ["cutover", SWITCHED], ["quarantine"])
"""What somebody may type who does not know that a file is damaged."""


@dataclass
class Tally:
    """What became of the faults of one kind. `bad` says of each that went wrong what it was and what is wrong."""

    faults: int = 0
    in_time: int = 0
    """The command was at work still when it was disturbed."""
    healed: int = 0
    bad: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Faults:
    """The prepared homes, and the faults that copies of them have to bear."""

    def __init__(self, folder: Path, seed: int, orders: int = ORDERS) -> None:
        self.chance = random.Random(seed)
        self.homes = Homes(folder, seed, orders, {kind.name: (kind.start, kind.arguments) for kind in KINDS})

    def kill(self, tally: dict[str, Tally]) -> None:
        """Kill a command at a random moment of it, with all that it started or alone."""
        kind = self.chance.choices(KINDS, [kind.weight for kind in KINDS])[0]
        kill, who = self.chance.choice([(os.killpg, "group"), (os.kill, "main process")])
        moment = self.chance.uniform(0, self.homes.seconds[kind.name])

        def disturb(place: Place, process: int) -> None:
            kill(process, signal.SIGKILL)

        self._disturbed(
            kind, f"SIGKILL of the {who} after {moment:.2f} s", moment, disturb, tally, f"kill: {kind.name}"
        )

    def stop(self, tally: dict[str, Tally]) -> None:
        """Stop PostgreSQL in the middle of a run: at once, fast, its backends alone, or only for a moment."""
        names = ["immediate", "fast", "backends", "restart"]
        name = self.chance.choice(names)
        moment = self.chance.uniform(0.1, self.homes.seconds[RUN.name])
        stops = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "restart": signal.SIGQUIT}

        def disturb(place: Place, process: int) -> None:
            if name == "backends":
                in_process(place, _terminate_backends)
            elif server := server_of(place):
                os.kill(server, stops[name])
                if name == "restart":
                    in_process(place, _start_server)

        self._disturbed(RUN, f"stop {name} after {moment:.2f} s", moment, disturb, tally, f"stop: {name}")

    def corrupt(self, tally: dict[str, Tally]) -> None:
        """Damage one of the files of a home; then type something."""
        place = self.homes.copy("finished")
        path = self.chance.choice(state_files(place.home))
        how = self.chance.choice(sorted(DAMAGES))
        what = f"{how} {path.relative_to(place.home)}"
        DAMAGES[how](path, self.chance)
        typed = self.chance.choice(NEXT)
        mine = tally.setdefault(f"damage: {how}", Tally())
        began = time.perf_counter()
        code, output = self.homes.run(place, typed)
        problem = _no_sentence(code, output)
        code, output = self.homes.run(place, ["run", "--force"])
        if code and not _no_sentence(code, output) and path.is_dir() and str(path) in output:
            shutil.rmtree(path)  # as the sentence says
            code, output = self.homes.run(place, ["run", "--force"])
        problem = problem or (f"run --force: {output[-300:]}" if code else "")
        self._conclude(mine, place, f"{what}, then {' '.join(typed)}", problem, began, was_in_time=True, same=False)

    def _disturbed(
        self,
        kind: Kind,
        what: str,
        moment: float,
        disturb: Callable[[Place, int], None],
        tally: dict[str, Tally],
        name: str,
    ) -> None:
        """Start a command, disturb it after `moment` seconds, run, and prove."""
        place = self.homes.copy(kind.start)
        mine = tally.setdefault(name, Tally())
        began = time.perf_counter()
        output = place.folder / "output"
        process = self.homes.warm.start(kind.arguments, place.environment(), output)
        time.sleep(moment)
        was_in_time = os.waitpid(process, os.WNOHANG) == (0, 0)
        problem = ""
        if was_in_time:
            disturb(place, process)
            code = wait(process)
            problem = "" if code == -signal.SIGKILL else _no_sentence(code, output.read_text("utf-8", "replace"))
        code, said = self.homes.run(place, kind.healing)
        problem = problem or (f"{' '.join(kind.healing)} afterwards: {said[-300:]}" if code else "")
        self._conclude(mine, place, what, problem, began, was_in_time=was_in_time, same=kind in (RUN, BACKFILL))

    def _conclude(
        self, tally: Tally, place: Place, what: str, problem: str, began: float, *, was_in_time: bool, same: bool
    ) -> None:
        found = [problem] if problem else self.homes.prove(place, same=same)
        tally.faults += 1
        tally.in_time += was_in_time
        tally.healed += not found
        tally.bad += [f"{what}: {'; '.join(found)[:600]}"] if found else []
        tally.seconds += time.perf_counter() - began
        if not found:
            remove(place)


def state_files(home: Path) -> list[Path]:
    """Return the files that a home keeps its state in; PostgreSQL's own are its own, and logs are none."""
    aside = ("postgres", "logs")
    found = [path for path in home.rglob("*") if path.is_file() or path.is_symlink()]
    return sorted(
        p for p in found if not p.relative_to(home).parts[0].startswith(aside) and not p.name.endswith("lock")
    )


def _folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(20 if data else 0):
        data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    path.write_bytes(bytes(data))


DAMAGES: dict[str, Callable[[Path, random.Random], Any]] = {
    "truncate": lambda path, chance: os.truncate(path, chance.randrange(max(path.stat().st_size, 1))),
    "flip": _flip,
    "zero": lambda path, _: path.write_bytes(bytes(path.stat().st_size)),
    "delete": lambda path, _: path.unlink(),
    "folder": _folder,
}


def _no_sentence(code: int, output: str) -> str:
    """Return what is wrong with a command that neither succeeded nor failed in one sentence."""
    last = (output.strip().splitlines() or [""])[-1]
    if code == 0 or (last.startswith("olist: ") and "Traceback" not in output):
        return ""
    return f"exit code {code} without a sentence: {output[-300:]}"


def _terminate_backends(settings: Any) -> None:
    from olist_pipeline.stores.postgres import query, server_url

    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL"
    )
    query(server_url(settings), statement)


def _start_server(settings: Any) -> None:
    from olist_pipeline.stores.postgres import server_url

    server_url(settings)


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--stops", default=50, show_default=True)
@click.option("--corruptions", default=30, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--orders", default=ORDERS, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Work in this folder, and keep the homes that are not right."
)
def main(kills: int, stops: int, corruptions: int, seed: int, orders: int, as_json: bool, keep: Path | None) -> None:
    """Disturb `olist` in every way, and prove after each that nothing is lost and nothing is doubled."""
    folder = keep or Path(tempfile.mkdtemp(prefix="olist-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the embedded server may run as a user of its own
    tally: dict[str, Tally] = {}
    for ending in (signal.SIGINT, signal.SIGTERM):  # whoever ends it wants to see what it has found
        signal.signal(ending, lambda *_: sys.exit(1))
    faults = Faults(folder, seed, orders)
    try:
        plan = [faults.kill] * kills + [faults.stop] * stops + [faults.corrupt] * corruptions
        faults.chance.shuffle(plan)
        for number, act in enumerate(plan, start=1):
            act(tally)
            done, healed = (sum(getattr(one, name) for one in tally.values()) for name in ("faults", "healed"))
            click.echo(f"{number} of {len(plan)}: {healed} of {done} healed and proven", err=True)
    finally:
        faults.homes.warm.stop()
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
        report(tally, as_json)
    sys.exit(1 if any(one.bad for one in tally.values()) else 0)


def report(tally: dict[str, Tally], as_json: bool) -> None:
    """Print what became of the faults."""
    if as_json:
        click.echo(json.dumps({name: asdict(one) for name, one in tally.items()}, indent=2))
        return
    table = Table("fault", "faults", "while at work", "healed and proven", "not right", "seconds each")
    for name, one in sorted(tally.items()):
        cells = (one.faults, one.in_time, one.healed, len(one.bad), f"{one.seconds / max(one.faults, 1):.1f}")
        table.add_row(name, *map(str, cells))
    Console().print(table)
    for bad in (said for one in tally.values() for said in one.bad):
        click.echo(bad)


if __name__ == "__main__":
    main()
