"""`olist dashboards`: the dashboards in a browser, or as HTML files.

What belongs here: the command and what it prints. What does not: the dashboards (package `dashboards`).
"""

from __future__ import annotations

from pathlib import Path

import click

from olist_pipeline.cli import interrupts
from olist_pipeline.cli.address import HOST, PORT, require_free, url_of
from olist_pipeline.files import given_away
from olist_pipeline.settings import Settings


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
