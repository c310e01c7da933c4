"""`olist dev`: the Dagster UI over this environment.

What belongs here: starting the UI with the environment's server and settings. What does not: the graph.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import click

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.instance import prepare, quiet_instance
from olist_pipeline.orchestration.partitions import follow_data
from olist_pipeline.settings import PROJECT_DIR, Settings


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port of the UI.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def dev(port: int, host: str) -> None:
    """Open the Dagster UI (webserver and daemon) until it is interrupted."""
    settings = Settings.from_env()
    prepare(settings)
    # An empty landing has no months yet; what else is wrong with it is said by what reads it.
    with suppress(OlistError), quiet_instance(settings) as instance:
        follow_data(instance, settings)
    command = [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "-w",
        str(PROJECT_DIR / "workspace.yaml"),
        "-h",
        host,
        "-p",
        str(port),
    ]
    # The embedded PostgreSQL belongs to this process: it stops when the UI does, which is asked to and waited for.
    with subprocess.Popen(command, cwd=PROJECT_DIR, env=os.environ) as ui:
        try:
            code = ui.wait()
        except BaseException:
            ui.send_signal(signal.SIGINT)
            ui.wait()
            raise
    sys.exit(code)
