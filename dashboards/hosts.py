"""Whom the server answers: requests to a name of its own, from pages of its own.

What belongs here: which names those are, and the refusal. What does not: the pages, and the server (`server`).

A page of a stranger's, open in a reader's browser, may ask any address that the browser reaches. It can have its own
name lead here (DNS rebinding), which Host tells; or ask as another origin, which Origin tells, and marimo lets every
origin read.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

EVERYWHERE = ("0.0.0.0", "::")
"""Addresses to listen on that stand for all of the machine."""

MISDIRECTED, FORBIDDEN = 421, 403
POLICY_VIOLATION = 1008
"""Why a websocket is closed; where it was not open yet, the server answers 403."""


class OwnOnly:
    """An ASGI application that hands on what is meant for it, and refuses the rest in one sentence.

    `host` is the address that the server listens on, `allowed` are further names that people reach it by, such as that
    of a proxy in front of it.
    """

    def __init__(self, app: ASGIApp, host: str, allowed: Collection[str] = ()) -> None:
        self.app = app
        self.is_everywhere = host in EVERYWHERE
        self.allowed = frozenset(map(_name_in, allowed)) - {""}
        machine = {socket.gethostname().lower()} if self.is_everywhere else set()
        self.names = self.allowed | {"localhost", host.lower()} | machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] in ("http", "websocket") else None
        if refusal is not None and scope["type"] == "websocket":
            # No page reads more of it than that, and uvicorn takes an answer for an error of the application's.
            await WebSocketClose(POLICY_VIOLATION)(scope, receive, send)
        else:
            await (refusal or self.app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_own(_name_in(host)):
            said = f"These dashboards do not go by the name {host!r}; `olist dashboards --allow-host NAME` adds one.\n"
            return PlainTextResponse(said, MISDIRECTED)
        if origin is not None and not self._is_of_own_page(origin, host):
            return PlainTextResponse("Pages of other sites may not ask these dashboards.\n", FORBIDDEN)
        return None

    def _is_own(self, name: str) -> bool:
        if name in self.names:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        # Nobody's name leads to a request whose host is an address.
        return address.is_loopback or self.is_everywhere

    def _is_of_own_page(self, origin: str, host: str) -> bool:
        _, _, place = origin.partition("://")
        return place.lower() == host.lower() or _name_in(place) in self.allowed


def _name_in(place: str) -> str:
    """Return the name in `name:port`, in lower case; nothing where it cannot be read."""
    try:
        parts = urlsplit(f"//{place}")
        return (parts.hostname or "").rstrip(".") if parts.netloc == place and "@" not in place else ""
    except ValueError:
        return ""
