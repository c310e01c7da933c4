"""Outages: what becomes of runs when processes of Dagster die, are cancelled, or start at the same moment.

What belongs here: the real code server, webserver and daemon, killed on purpose, and figures of what was left. What
does not: what a test can ask in seconds.

    python -m benchmarks.outages
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from olist_pipeline.data_months import all_months
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.instance import prepare
from olist_pipeline.orchestration.partitions import range_tags
from olist_pipeline.stores import schema
from tests.end_to_end.dagster_server import DagsterServer
from tests.end_to_end.world import World
from tests.patience import wait_for

ORDERS = 400
SIX_MONTHS = [f"2017-{month:02}-01" for month in range(7, 13)]
ENDED = ("SUCCESS", "FAILURE", "CANCELED")

Made = tuple[str, str | None]
"""An asset and a month of it."""


def main() -> None:
    """Print what became of each outage; nothing is asserted."""
    folder = Path(tempfile.mkdtemp(prefix="olist-outages-"))
    folder.chmod(0o755)
    world = World.with_orders(folder, orders=ORDERS)
    url = schema.ready_url(world.settings)
    kept = dict(os.environ)
    prepare(world.settings)
    os.environ.clear()
    os.environ.update(kept)
    quick(world.home / "dagster" / "dagster.yaml")
    server = DagsterServer(world, url)
    try:
        server.start("code", "webserver", "daemon")
        full_run(server, world)
        at_the_same_moment(server)
        made = cancelled(server)
        killed_in_a_backfill(server, made, "daemon")
        killed_in_a_backfill(server, made, "code")
        killed_in_a_backfill(server, made, "code", alone=True)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def quick(path: Path) -> None:
    """Let the daemon look for dead runs more often than a server would."""
    text = path.read_text("utf-8")
    text = text.replace("poll_interval_seconds: 30", "poll_interval_seconds: 5")
    path.write_text(
        text.replace("free_slots_after_run_end_seconds: 60", "free_slots_after_run_end_seconds: 5"), "utf-8"
    )


def full_run(server: DagsterServer, world: World) -> None:
    """Build everything once, for the others to work on."""
    started = time.perf_counter()
    run_id = server.launch("dual_run", tags=range_tags(all_months(world.settings)))
    [run] = server.wait_for_runs(lambda run: run["runId"] == run_id, 1, 600)
    print(f"a full run:                      {run['status']} in {time.perf_counter() - started:.0f} s", flush=True)


def at_the_same_moment(server: DagsterServer) -> None:
    """Start two runs of one context over the same months at the same moment."""
    months = range_tags(MonthRange(*map(date.fromisoformat, (SIX_MONTHS[0], SIX_MONTHS[-1]))))
    pair = {server.launch("sales_job", tags=months) for _ in range(2)}
    together = 0

    def both_ended() -> list[dict[str, Any]] | None:
        nonlocal together
        runs = [run for run in server.runs() if run["runId"] in pair]
        together += all(run["status"] == "STARTED" for run in runs)
        return runs if all(run["status"] in ENDED for run in runs) else None

    runs = wait_for(both_ended, "both runs", 600)
    states = ", ".join(run["status"] for run in runs)
    print(f"two runs at the same moment:     {states}, seen at work together {together} times", flush=True)


def cancelled(server: DagsterServer) -> set[Made]:
    """Cancel a run while it holds the pool, and see how soon the next one gets it; return what that makes by month."""
    months = range_tags(MonthRange(*map(date.fromisoformat, (SIX_MONTHS[0], SIX_MONTHS[-1]))))
    run_id = server.launch("sales_job", tags=months)
    wait_for(lambda: _has_begun(server, run_id, "dbt"), "the run to hold the pool", 300)
    server.ask(
        "mutation($run: String!) { terminateRun(runId: $run) { __typename } }",
        run=run_id,
    )
    [run] = server.wait_for_runs(lambda run: run["runId"] == run_id, 1, 300)
    started = time.perf_counter()
    following = server.launch("sales_job", tags=months)
    [after] = server.wait_for_runs(lambda run: run["runId"] == following, 1, 600)
    seconds = time.perf_counter() - started
    print(
        f"a run cancelled half-way:        {run['status']}, the next {after['status']} in {seconds:.0f} s", flush=True
    )
    return {made for made in server.materialized_by(following) if made[1]}


def killed_in_a_backfill(server: DagsterServer, wanted: set[Made], name: str, *, alone: bool = False) -> None:
    """Kill the daemon or the code server in a backfill, with the run that it started or alone; start it again.

    That is done while dbt builds the months, when those of staging are there.
    """
    backfill = server.backfill("sales_job", SIX_MONTHS)

    def is_building() -> bool:
        return any(
            _is_of(run, backfill) and _has_begun(server, run["runId"], "dbt_new_months") for run in server.runs()
        )

    wait_for(is_building, "its run to build months", 300)
    server.kill(name, alone=alone)
    time.sleep(2)
    server.start(name)

    def over() -> str | None:
        found = server.ask(
            """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
                 ... on PartitionBackfill { status } } }""",
            id=backfill,
        )["status"]
        return found if found not in ("REQUESTED", "CANCELING") else None

    started = time.perf_counter()
    status = wait_for(over, "the end of the backfill", 900)
    runs = [run for run in server.runs() if _is_of(run, backfill)]
    times = Counter(made for run in runs for made in server.materializations_of(run["runId"]))
    how_often = [times[made] for made in wanted]
    never, once = how_often.count(0), how_often.count(1)
    states = ", ".join(run["status"] for run in runs[::-1])
    what = f"{name} killed{' alone' if alone else ''} in a backfill:"
    print(
        f"{what:<33}{status} after {time.perf_counter() - started:.0f} s, runs {states}; of {len(wanted)} months of "
        f"tables {once} were made once, {never} never, {len(wanted) - once - never} more often",
        flush=True,
    )


def _has_begun(server: DagsterServer, run_id: str, step: str) -> bool:
    steps = server.events_of(run_id, "... on ExecutionStepStartEvent { stepKey }")
    return any(str(begun["stepKey"]).startswith(step) for begun in steps)


def _is_of(run: dict[str, Any], backfill: str) -> bool:
    return run["tags"].get("dagster/backfill") == backfill


if __name__ == "__main__":
    main()
