"""`olist dashboards` and `olist dev`: the dashboards in a browser or as HTML files, and the Dagster UI.

What belongs here: the commands, and the address of a server: its options, whether anybody can listen there, and how a
browser is given it. What does not: the dashboards (package `dashboards`), and the graph.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click

from olist_pipeline.cli import interrupts
from olist_pipeline.errors import OlistError
from olist_pipeline.files import given_away
from olist_pipeline.machine import PORTS
from olist_pipeline.settings import PROJECT_DIR, Settings

PORT = click.IntRange(PORTS[0], PORTS[-1])
HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")

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
@click.option("--port", default=2718, type=PORT, show_default=True, help="Port of the dashboards.")
@HOST
@click.option("--allow-host", "allowed", multiple=True, help="A further name that they answer to, as a proxy's.")
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write them as HTML files to this folder instead; they need neither server nor network.",
)
def dashboards(port: int, host: str, allowed: tuple[str, ...], folder: Path | None) -> None:
    """Serve the dashboards over the current release until it is interrupted, or export them."""
    # Imported here, for marimo and Altair take a second that no other command needs.
    from dashboards.export import export
    from dashboards.release import current

    release = current(Settings.from_env().serving)
    if folder is not None:
        with given_away():
            paths = export(folder)
        for path in paths:
            click.echo(path)
        return
    require_free(host, port)
    from dashboards.server import serve

    click.echo(f"Dashboards over release {release.number}: {url_of(host, port)}  (Ctrl+C ends them)")
    with interrupts.left_to_server():
        serve(host, port, allowed)


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


def require_free(host: str, port: int) -> None:
    """Raise OlistError where nobody can listen on the address."""
    try:
        for family, _, _, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
    except (OSError, UnicodeError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be listened on ({error})"
        raise OlistError(f"The address {host}:{port} {why}; choose another with --port or --host.") from error


def url_of(host: str, port: int) -> str:
    """Return the address as a browser takes it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
