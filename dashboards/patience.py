"""How long the server waits for whoever asks it: a client that does not go on is let go.

What belongs here: that limit. What does not: whom it answers (`hosts`), and how long an answer takes to be made.

uvicorn limits how long a connection may rest between two requests, and neither how long a request may take to come nor
how long an answer may take to be fetched: a client that sends a byte a minute would keep its connection for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 30.0
"""A request is there, and a part of an answer fetched, within this time."""


class Patient(H11Protocol):
    """A connection that is closed where its client is waited for longer than `SECONDS`."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """See `H11Protocol`: the next request may come."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`: the client has not fetched what is there."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._end()
        super().resume_writing()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._end()

    def _look(self) -> None:
        """Let the time of the client run while it is waited for."""
        is_awaited = self.flow.write_paused or self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not is_awaited or self.transport.is_closing():
            self._end()
        elif self._limit is None:
            self._limit = self.loop.call_later(SECONDS, self.transport.abort)

    def _end(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
