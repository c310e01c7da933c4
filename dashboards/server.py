"""The server: all dashboards under one address, with a page that lists them.

What belongs here: putting the notebooks together and running them. What does not: their content.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import marimo
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from dashboards.page import PAGES, STYLE

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


def index(link: Callable[[str], str]) -> str:
    """Return the page that lists the dashboards; `link` gives the address of one."""
    cards = "".join(
        f'<a class="panel" href="{escape(link(name))}"><div class="title">{escape(title)}</div></a>'
        for name, title in PAGES.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Olist dashboards</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE.read_text("utf-8")}</style></head>'
        '<body><main class="olist index"><div class="title">Olist dashboards</div>'
        f'<div class="blocks">{cards}</div></main></body></html>'
    )


async def _index(request: Request) -> HTMLResponse:
    return HTMLResponse(index(lambda name: f"/{name}/"))
