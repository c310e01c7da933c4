"""The pictures of Dagster's pages in docs: the UI of OLIST_HOME, as `olist dev` shows it.

What belongs here: starting it, and which pages are drawn. What does not: the dashboards (`pictures`, which calls this).
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 180
WIDTH = 1560
LOCATION = "__repository__@olist"
COMPLETE = "() => !/Loading/.test(document.body.innerText)"
LAST_RUN = '{ runsOrError(filter: {pipelineName: "dual_run"}, limit: 1) { ... on Runs { results { runId } } } }'


@dataclass(frozen=True)
class Shown:
    """A page of the UI, the text that says that it is complete, and the height of the picture in pixels."""

    path: str
    awaited: str
    height: int = 900


def draw_dagster(browser: Browser, images: Path, environment: Mapping[str, str]) -> list[Path]:
    """Draw the pages of the UI over the environment's runs; return the pictures."""
    with dagster(environment) as url:
        [run] = _ask(url, LAST_RUN)["runsOrError"]["results"]
        pages = {
            "asset_graph": Shown("/asset-groups", "marketplace"),
            "asset_group": Shown(f"/locations/{LOCATION}/asset-groups/sales/list", "fact_orders", 830),
            "partitions": Shown("/assets/sales/orders?view=partitions", "Partitions Selected", 640),
            "parity_check": Shown("/assets/new/fact_orders?view=checks&checkDetail=parity", "dashboards_will_see"),
            "quarantine_plot": Shown("/assets/sales/orders?view=checks&checkDetail=reconciliation", "Plots", 1000),
            "run": Shown(f"/runs/{run['runId']}", "RUN_SUCCESS", 1100),
        }
        return [_shoot(browser, url, shown, images / f"{name}.png") for name, shown in pages.items()]


@contextmanager
def dagster(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of the UI, which ends afterwards."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "olist_pipeline", "dev", "--port", str(port)]
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            _await_graph(url, server)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def _await_graph(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if _ask(url, "{ assetNodes { id } }")["assetNodes"]:
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(1)
    sys.exit(f"Dagster did not show its graph within {START_SECONDS} seconds.")


def _ask(url: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)["data"]
    return answer


def _shoot(browser: Browser, url: str, shown: Shown, picture: Path) -> Path:
    tab: Page = browser.new_page(viewport={"width": WIDTH, "height": shown.height})
    tab.goto(f"{url}{shown.path}")
    tab.get_by_text(shown.awaited).first.wait_for(timeout=START_SECONDS * 1000)
    tab.wait_for_function(COMPLETE, timeout=START_SECONDS * 1000)
    tab.wait_for_timeout(5_000)  # a chart or a graph does not say when it is drawn
    tab.screenshot(path=picture)
    tab.close()
    return picture


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
