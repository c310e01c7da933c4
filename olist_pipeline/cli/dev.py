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

from olist_pipeline.cli.address import HOST, PORT, require_free
from olist_pipeline.errors import OlistError
from olist_pipeline.settings import PROJECT_DIR, Settings

_NO_ALARM = "ignore:Function `dev_command` is superseded and its usage is discouraged. Use 'dg dev' instead."
"""`dg` is a tool for whoever develops a Dagster project: who only opens the UI need not have it."""

_UI = """
import runpy, signal
from olist_pipeline.dbt_process import end_with_parent
end_with_parent(signal.SIGINT)
runpy.run_module("dagster", run_name="__main__", alter_sys=True)
"""
"""Dagster, which ends its webserver, daemon and code server in order where the command that started it was killed."""


@click.command()
@click.option("--port", default=3000, type=PORT, show_default=True, help="Port of the UI.")
@HOST
def dev(port: int, host: str) -> None:
    """Open the Dagster UI (webserver and daemon) until it is interrupted."""
    settings = Settings.from_env()
    require_free(host, port)
    # Dagster takes seconds to import.
    from olist_pipeline.orchestration.instance import prepare, quiet_instance
    from olist_pipeline.orchestration.partitions import follow_data

    prepare(settings)
    # An empty landing has no months yet; what else is wrong with it is said by what reads it.
    with suppress(OlistError), quiet_instance(settings) as instance:
        follow_data(instance, settings)
    workspace = str(PROJECT_DIR / "workspace.yaml")
    command = [sys.executable, "-W", _NO_ALARM, "-c", _UI, "dev", "-w", workspace, "-h", host, "-p", str(port)]
    # Elsewhere Dagster would warn that it does not read the dagster.yaml that lies there.
    folder = os.environ["DAGSTER_HOME"]
    # The embedded PostgreSQL belongs to this process: it stops when the UI does, which is asked to and waited for.
    with subprocess.Popen(command, cwd=folder, env=os.environ) as ui:
        # Polars has the system go on with a wait after SIGINT, and what is sent to this process alone went unheeded.
        signal.siginterrupt(signal.SIGINT, True)
        try:
            code = ui.wait()
        except BaseException:
            ui.send_signal(signal.SIGINT)
            ui.wait()
            raise
    sys.exit(code if code >= 0 else 128 - code)
