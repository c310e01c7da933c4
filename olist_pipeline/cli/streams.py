"""Standard output and error: what becomes of them where nobody reads on, or where they cannot be written.

What belongs here: the two streams of a command line. What does not: what is written to them.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import TextIO

from olist_pipeline.troubles import sentence_of

OUTPUT, ERRORS = 1, 2
AS_CODE = "olist_as_code"
"""How a letter is written that the encoding of a stream does not have: as JSON writes it, so that JSON stays JSON."""


class _Patient(io.FileIO):
    """A stream whose reader may go away, as `head` does: what is written then goes nowhere.

    So does what standard error cannot take: nobody can hear of it, and what the command has done stays true.
    """

    def write(self, data: bytes) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except OSError as error:
            if not isinstance(error, BrokenPipeError) and self.fileno() == OUTPUT:
                raise OSError(error.errno, error.strerror, "standard output") from None
            _silence(self.fileno())
            _unread.add(self.fileno())
            return len(data)


_unread: set[int] = set()


def make_patient() -> None:
    """Let a command end as it would with a reader that stays: its work is done, and its exit code is true.

    A letter that a terminal does not know is written as its code.
    """
    codecs.register_error(AS_CODE, _as_code)
    sys.stdout = _patient(sys.stdout, sys.__stdout__, OUTPUT)
    sys.stderr = _patient(sys.stderr, sys.__stderr__, ERRORS)


def is_unread() -> bool:
    """Return whether nobody reads standard output any more: what would go on for ever may end."""
    return OUTPUT in _unread


def flush_output() -> str:
    """Write out what is left of standard output; returns why that could not be, a sentence, or ''."""
    try:
        if sys.stdout is not None:  # it was closed before we began
            sys.stdout.flush()
    except OSError as error:
        _silence(sys.stdout.fileno())  # or Python complains of it at its end
        return sentence_of(error) or ""
    return ""


def _patient(stream: TextIO, original: object, number: int) -> TextIO:
    """Return a stream in the place of one that is Python's own; any other one as it is."""
    if stream is not original or not isinstance(stream, io.TextIOWrapper) or stream.fileno() != number:
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(number, "w", closefd=False)),
        stream.encoding,
        AS_CODE,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _as_code(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _silence(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
