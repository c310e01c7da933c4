"""The Dagster of a server: code server, webserver and daemon as processes of their own, driven through GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.end_to_end.world import World
from tests.patience import patient, wait_for

BIN = Path(sys.executable).parent
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "olist"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class DagsterServer:
    """Processes over a world whose server `url` somebody else keeps alive; `environment` comes on top."""

    world: World
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=lambda: {"code": free_port(), "webserver": free_port()})

    def start(self, *names: str) -> None:
        """Start `code`, `webserver` or `daemon`; return when each can be asked."""
        workspace = self.world.home / "workspace.yaml"
        workspace.write_text(
            json.dumps({"load_from": [{"grpc_server": {"port": self.ports["code"], "location_name": "olist"}}]})
        )
        commands = {
            "code": ["dagster", "api", "grpc", "-m", "olist_pipeline.definitions", "-p", str(self.ports["code"])],
            "webserver": ["dagster-webserver", "-w", str(workspace), "-p", str(self.ports["webserver"])],
            "daemon": ["dagster-daemon", "run", "-w", str(workspace)],
        }
        for name in names:
            program, *arguments = commands[name]
            with (self.world.home / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [str(BIN / program), *arguments],
                    env={
                        **self.world.environment(),
                        "OLIST_POSTGRES_URL": self.url,
                        "DAGSTER_HOME": str(self.world.home / "dagster"),
                        **self.environment,
                    },
                    cwd=self.world.home,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if name in self.ports:
                wait_for(partial(is_listening, self.ports[name]), f"{name} listens", 90)

    def kill(self, name: str, *, alone: bool = False) -> None:
        """Kill a process and all that it started, or the process alone."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
        process.wait(timeout=patient(60))

    def stop(self) -> None:
        for name in reversed(list(self.processes)):
            self.kill(name)

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the only field of a GraphQL answer; fails on an error that it speaks of."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['webserver']}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=patient(60)) as response:
            answer = json.loads(response.read())
        assert "errors" not in answer, answer["errors"]
        [value] = answer["data"].values()
        return value

    def launch(self, job: str, *, tags: dict[str, str] | None = None, assets: list[list[str]] | None = None) -> str:
        """Launch a job, or some assets of it with their checks, as the launchpad does; return the id of the run."""
        selector: dict[str, Any] = {**REPOSITORY, "pipelineName": job}
        if assets:
            selector["assetSelection"] = [{"path": path} for path in assets]
        launched = self.ask(
            """mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            params={
                "selector": selector,
                "mode": "default",
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]},
            },
        )
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def backfill(self, job: str, partitions: list[str]) -> str:
        """Launch a backfill of a job as the UI does; return its id."""
        launched = self.ask(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={
                "selector": {"repositorySelector": REPOSITORY, "partitionSetName": f"{job}_partition_set"},
                "partitionNames": partitions,
            },
        )
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def switch(self, kind: str, name: str, *, on: bool) -> str:
        """Switch a `Sensor` or a `Schedule`; return its status."""
        lower, selector = kind.lower(), {**REPOSITORY, f"{kind.lower()}Name": name}
        state = f"{lower}State {{ id status }}"
        if on:
            answer = (
                f"... on ScheduleStateResult {{ {state} }}" if kind == "Schedule" else f"... on Sensor {{ {state} }}"
            )
            started = self.ask(
                f"mutation($it: {kind}Selector!) {{ start{kind}({lower}Selector: $it) {{ {answer} }} }}", it=selector
            )
            return started[f"{lower}State"]["status"]
        found = self.ask(
            f"query($it: {kind}Selector!) {{ {lower}OrError({lower}Selector: $it) {{ ... on {kind} {{ {state} }} }} }}",
            it=selector,
        )
        verb, answer = {
            "Sensor": ("stopSensor", "... on StopSensorMutationResult { instigationState { status } }"),
            "Schedule": ("stopRunningSchedule", "... on ScheduleStateResult { scheduleState { status } }"),
        }[kind]
        identity = found[f"{lower}State"]["id"]
        stopped = self.ask(f"mutation($id: String!) {{ {verb}(id: $id) {{ {answer} }} }}", id=identity)
        [instigation] = stopped.values()
        return instigation["status"]

    def checks_of(self, run_id: str) -> list[tuple[str, str, bool]]:
        """Return the evaluated checks of a run: asset, name, whether it passed."""
        fields = "... on AssetCheckEvaluationEvent { evaluation { checkName success assetKey { path } } }"
        evaluations = [event["evaluation"] for event in self.events_of(run_id, fields)]
        return [("/".join(one["assetKey"]["path"]), one["checkName"], one["success"]) for one in evaluations]

    def materialized_by(self, run_id: str) -> set[tuple[str, str | None]]:
        """Return what a run made: asset and partition."""
        return set(self.materializations_of(run_id))

    def materializations_of(self, run_id: str) -> list[tuple[str, str | None]]:
        """Return what a run made, as often as it did: asset and partition."""
        events = self.events_of(run_id, "... on MaterializationEvent { assetKey { path } partition }")
        return [("/".join(event["assetKey"]["path"]), event["partition"]) for event in events]

    def events_of(self, run_id: str, fields: str) -> list[dict[str, Any]]:
        """Return those events of a run that have `fields`."""
        found, cursor = [], None
        while True:
            run = self.ask(
                f"""query($run: ID!, $after: String) {{ runOrError(runId: $run) {{ ... on Run {{
                      eventConnection(afterCursor: $after) {{ cursor hasMore events {{ {fields} }} }} }} }} }}""",
                run=run_id,
                after=cursor,
            )
            page = run["eventConnection"]
            found += [event for event in page["events"] if event]
            cursor = page["cursor"]
            if not page["hasMore"]:
                return found

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, the newest first: runId, status, jobName and tags by name."""
        found = self.ask("{ runsOrError { ... on Runs { results { runId status jobName tags { key value } } } } }")[
            "results"
        ]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def wait_for_runs(
        self, wanted: Callable[[dict[str, Any]], bool], count: int, seconds: float = 240
    ) -> list[dict[str, Any]]:
        """Wait until `count` runs that `wanted` knows have ended; return them, the oldest first."""

        def ended() -> list[dict[str, Any]]:
            runs = [run for run in self.runs() if wanted(run)]
            over = [run for run in runs if run["status"] in ("SUCCESS", "FAILURE", "CANCELED")]
            return over[::-1] if len(over) >= count else []

        return wait_for(ended, f"{count} runs to end", seconds, pause=0.5)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
