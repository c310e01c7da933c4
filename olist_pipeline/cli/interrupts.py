"""Interrupts: Ctrl+C, SIGTERM and a closed terminal end a command in one sentence, with 130, 143 and 129 as exit codes.

What belongs here: noticing the signals, whoever handles them. What does not: what a command does about one.

Dagster puts handlers of its own in the place of ours while a run is at work, and these do not tell which signal came;
Python writes its number to a file descriptor all the same.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_received: list[int] = []
_descriptor: list[int] = []


class Interrupted(BaseException):
    """A command was asked to end: not an Exception, so that nobody takes it for a failure of the work."""


def received() -> int | None:
    """Return the first signal that asked this command to end; None while there was none."""
    for descriptor in _descriptor:
        with suppress(BlockingIOError):
            _received.extend(number for number in os.read(descriptor, 64) if number in SIGNALS)
    return _received[0] if _received else None


def sentence(number: int) -> str:
    """Return what a person reads of a command that a signal ended."""
    ways = {signal.SIGINT: "Ctrl+C", signal.SIGHUP: "the terminal was closed"}
    how = ways.get(signal.Signals(number), signal.Signals(number).name)
    return f"Interrupted ({how}). What was finished is kept, the rest is made by the same command again."


@contextmanager
def noticed() -> Iterator[None]:
    """Raise `Interrupted` where a signal comes in the block; after it, signals end the process at once.

    `received` tells afterwards what came in the block; what came before it or comes later is nothing to it.
    """
    _received.clear()
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    _descriptor.append(reader)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # Under `nohup` a command outlives its terminal.
    heeded = [number for number in SIGNALS if (number, signal.getsignal(number)) != (signal.SIGHUP, signal.SIG_IGN)]
    for number in heeded:
        signal.signal(number, _end if number == signal.SIGHUP else _raise)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)
        received()
        signal.set_wakeup_fd(-1)
        _descriptor.clear()
        os.close(reader)
        os.close(writer)


@contextmanager
def left_to_server() -> Iterator[None]:
    """Let signals do in the block what they do to any program.

    A server handles them itself: it closes its connections, then raises them again. Threads of its pages would hold up
    an end of any other kind.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield


def _end(number: int, frame: FrameType | None) -> None:
    """End as after SIGTERM, whoever handles that one: Dagster knows nothing of a closed terminal."""
    _received.append(number)
    signal.raise_signal(signal.SIGTERM)


def _raise(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise Interrupted
