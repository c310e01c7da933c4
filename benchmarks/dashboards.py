"""The dashboards on the release of a whole run: every query, and every page in a browser.

What belongs here: timing queries and pages. What does not: making the release (see `run`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.run import OLIST
from dashboards.page import PAGES
from dashboards.queries import QUERIES
from dashboards.release import Reader, current
from tests.dashboards.browser import CHROMIUM, chromium, watched

ROUNDS = 5
SLOWEST = 5


def measure(home: Path) -> None:
    """Print the slowest queries and every page, over the release in `home`."""
    with current(home / "serving").reading() as reader:
        seconds = {name: median(_seconds(reader, name) for _ in range(ROUNDS)) for name in QUERIES}
    print(f"dashboards, {len(QUERIES)} queries, the slowest, medians of {ROUNDS}")
    for name in sorted(seconds, key=lambda name: -seconds[name])[:SLOWEST]:
        print(f"  {name:<32} {seconds[name]:6.3f} s")
    if CHROMIUM is None:
        print("  pages: not measured, for there is no chromium\n")
        return
    print(f"dashboards in a browser, from the address to the last chart, medians of {ROUNDS}")
    for name, whole in _pages(home).items():
        print(f"  {name:<32} {whole:6.3f} s")
    print()


def _seconds(reader: Reader, name: str) -> float:
    started = time.perf_counter()
    reader.ask(name)
    return time.perf_counter() - started


def _pages(home: Path) -> dict[str, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "OLIST_HOME": str(home)}
    server = subprocess.Popen(
        [str(OLIST), "dashboards", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await_answer(address)
        with chromium() as browser:
            return {name: median(_draw(browser, address, name) for _ in range(ROUNDS)) for name in PAGES}
    finally:
        server.terminate()
        server.wait()


def _draw(browser, address: str, name: str) -> float:
    seen = watched(browser)
    started = time.perf_counter()
    seen.page.goto(f"{address}/{name}/", wait_until="commit")
    seen.await_drawn()
    seconds = time.perf_counter() - started
    seen.page.close()
    return seconds


def _await_answer(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
