"""The machine: how much memory and how many cores this process may use, DuckDB's part of them, and ports.

What belongs here: what the machine has, and what a database may take of it. What does not: the sizes of PostgreSQL
(`stores.cluster`), and the units of work that bound Polars' memory (`validation.units`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from olist_pipeline.settings import memory_allowed

if TYPE_CHECKING:
    import duckdb

PORTS = range(1, 65_536)
"""Where somebody may listen: 0 leaves the choice to the system."""

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")

LEAST = 512 * 2**20
"""DuckDB gets so many bytes of memory at least, however little there is."""
ENOUGH_FOR_TWO = 3 * 2**30
"""With so many bytes for one database, two queries work in it at once."""


def memory_and_cores() -> tuple[int, int]:
    """Return bytes of memory and number of cores that this process may use.

    A container, or a service with a limit, has less than its machine, and OLIST_MEMORY may say less than these.
    """
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    memory = min(whole, memory_allowed() or whole)
    for limit in _limits():
        with suppress(OSError, ValueError):
            memory = min(memory, int(limit.read_text()))
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return memory, cores


def _limits() -> Iterator[Path]:
    """Yield where a limit of memory may stand: in the control group of this process, and in each above, of both kinds.

    Within a container its own group is the topmost that it sees.
    """
    yield CONTROL_GROUPS / "memory" / "memory.limit_in_bytes"
    yield CONTROL_GROUPS / "memory.max"
    with suppress(OSError):
        for line in OWN_GROUP.read_text("utf-8", "replace").splitlines():
            _, kind, name = line.split(":", 2)
            of_memory = "memory" in kind.split(",")
            if kind and not of_memory:
                continue
            root = CONTROL_GROUPS / "memory" if of_memory else CONTROL_GROUPS
            group = root / name.lstrip("/")
            file = "memory.limit_in_bytes" if of_memory else "memory.max"
            yield from (above / file for above in (group, *group.parents) if above.is_relative_to(root))


def memory_of_duckdb() -> str:
    """Return DuckDB's `memory_limit` of one database: a quarter of the memory; what needs more is spilled to the disk.

    DuckDB takes four fifths by itself. A run has three databases at work at once, beside Polars and PostgreSQL, where
    they are small; of large data, old is made by the time that the others are.
    """
    return f"{_part() // 2**20}MiB"


def queries_at_once() -> int:
    """Return how many large queries, models of dbt or comparisons, work at once in one database: one in little memory.

    A small table is worked through by one core. Not all that a query holds can be spilled: of ten million orders one of
    old's models needs between 1.4 and 2 GB.
    """
    return 2 if _part() >= ENOUGH_FOR_TWO else 1


def _part() -> int:
    return max(memory_and_cores()[0] // 4, LEAST)


def bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection's database take no more memory than its part."""
    connection.execute(f"SET memory_limit = '{memory_of_duckdb()}'")
