"""The machine: how much memory and how many cores this process may use, DuckDB's part of them, and ports.

What belongs here: what the machine has, and what a database may take of it. What does not: the sizes of PostgreSQL
(`stores.cluster`), and the units of work that bound Polars' memory (`validation.units`).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

PORTS = range(1, 65_536)
"""Where somebody may listen: 0 leaves the choice to the system."""

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit of memory stands, a file for each version of control groups."""

LEAST = 512 * 2**20


def memory_and_cores() -> tuple[int, int]:
    """Return bytes of memory and number of cores that this process may use; a container has less than its machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in LIMITS:
        with suppress(OSError, ValueError):
            memory = min(memory, int(limit.read_text()))
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return memory, cores


def memory_of_duckdb() -> str:
    """Return DuckDB's `memory_limit` of one database: a sixth of the memory; what needs more is spilled to the disk.

    DuckDB takes four fifths by itself. A run has three databases at work at once, beside Polars and PostgreSQL.
    """
    return f"{max(memory_and_cores()[0] // 6, LEAST) // 2**20}MiB"


def bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection's database take no more memory than its part."""
    connection.execute(f"SET memory_limit = '{memory_of_duckdb()}'")
