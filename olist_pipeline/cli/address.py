"""The address of a server that a command starts: its options, and whether anybody can listen there.

What belongs here: both, and how a browser is given it. What does not: the servers (`dashboards`, `dev`).
"""

from __future__ import annotations

import errno
import socket

import click

from olist_pipeline.errors import OlistError
from olist_pipeline.machine import PORTS

PORT = click.IntRange(PORTS[0], PORTS[-1])
HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")


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
