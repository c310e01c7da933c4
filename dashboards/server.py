"""The server: all dashboards under one address, with a page that lists them.

What belongs here: putting the notebooks together and running them. What does not: their content, and pages without a
server (`export`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import marimo
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from dashboards.page import PAGES, index

NOTEBOOKS = Path(__file__).with_name("pages")


def application() -> Any:
    """Return the ASGI application: the index under /, each dashboard under /<name>/."""
    builder = marimo.create_asgi_app(quiet=True)
    for name in PAGES:
        builder = builder.with_app(path=f"/{name}", root=str(NOTEBOOKS / f"{name}.py"))
    return Starlette(routes=[Route("/", _index), Mount("/", builder.build())])


def serve(host: str, port: int) -> None:
    """Serve the dashboards until the process is interrupted."""
    uvicorn.run(application(), host=host, port=port, log_level="warning")


async def _index(request: Request) -> HTMLResponse:
    return HTMLResponse(index(lambda name: f"/{name}/"))
