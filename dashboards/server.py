"""The server: all dashboards under one address, with a page that lists them.

What belongs here: putting the notebooks together and running them. What does not: their content, whom the server
answers (`hosts`), how long it waits for them (`patience`), and pages without a server (`export`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import marimo
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboards.hosts import OwnOnly
from dashboards.notebook import first_release
from dashboards.page import NOTEBOOKS, index, pages_of
from dashboards.patience import Patient

MARIMO_FILES = Path(marimo.__file__).with_name("_static")
SHARED = "/marimo"


class _Unchanging(StaticFiles):
    """Files whose names change with their content: a browser asks for each once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def application(host: str, allowed: Collection[str] = ()) -> Any:
    """Return the ASGI application: the index under /, each dashboard under /<name>/.

    `host` and `allowed` say which requests are meant for it (see `OwnOnly`).
    """
    # One address of marimo's own files for all dashboards; each would else load its hundreds of scripts again.
    builder = marimo.create_asgi_app(quiet=True, asset_url=SHARED)
    for name in pages_of(None):
        builder = builder.with_app(path=f"/{name}", root=str(NOTEBOOKS / f"{name}.py"))
    return Starlette(
        routes=[
            Route("/", _index),
            Mount(f"{SHARED}/assets", _Unchanging(directory=MARIMO_FILES / "assets")),
            Mount(SHARED, StaticFiles(directory=MARIMO_FILES)),
            Mount("/", builder.build()),
        ],
        middleware=[Middleware(OwnOnly, host, allowed)],
    )


def serve(host: str, port: int, allowed: Collection[str] = ()) -> None:
    """Serve the dashboards until the process is interrupted."""
    app = application(host, allowed)
    # Of uvicorn's two readers of HTTP this one has a limit to what a request may say before its body: 64 KiB.
    uvicorn.run(app, host=host, port=port, http=Patient, log_level="warning")


async def _index(request: Request) -> HTMLResponse:
    return HTMLResponse(index(lambda name: f"/{name}/", first_release()))
