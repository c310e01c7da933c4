"""The address of a server that a command starts: its options, and whether anybody can listen there.

What belongs here: both. What does not: the servers (`dashboards`, `dev`).
"""

from __future__ import annotations

import errno
import socket

import click

from olist_pipeline.errors import OlistError

PORTS = click.IntRange(1, 65_535)
HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")


def require_free(host: str, port: int) -> None:
    """Raise OlistError where nobody can listen on the address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, UnicodeError) as error:
            taken = getattr(error, "errno", None) == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be listened on ({error})"
            raise OlistError(f"The address {host}:{port} {why}; choose another with --port or --host.") from error
