"""Following: what comes after a rollback has had its effect, in a process of its own that nobody waits for.

What belongs here: bringing the record to PostgreSQL and preparing the next way back, whatever the server does. What
does not: the rollback (`rollback`).

    python -m olist_pipeline.serving.follow    says that it is ready, waits for a line, follows, and says "recorded",
                                               or why it is not

It is started before the rollback, so that it is ready by then, in a session of its own: it goes on when the command
that started it has ended. What it cannot do is done by the next command that finds PostgreSQL up.
"""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import time
from contextlib import suppress

from olist_pipeline.errors import OlistError
from olist_pipeline.owners import refuse_stranger
from olist_pipeline.serving import journal, standby
from olist_pipeline.settings import Settings

PATIENCE = 2.0
"""Seconds that a rollback, which has shown its effect, waits to hear that PostgreSQL has its record: an embedded one
may have to start."""
START_SECONDS = 10.0
"""So long may the process take to begin: at load its imports take longer than the rollback, and PostgreSQL is not at
fault."""
_READY, _SAID = b"ready\n", b"recorded\n"
LOG = "follow.log"

_log = logging.getLogger("olist.follow")


class Follower:
    """The process that follows, started and waiting."""

    def __init__(self, settings: Settings) -> None:
        """Start it; raises OlistError in the home of another user, who could not write in its log then."""
        refuse_stranger(settings.home)
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):  # without it there is only more to do for the next command
            log = settings.home / "logs" / LOG
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "olist_pipeline.serving.follow"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    bufsize=0,  # what has come is there for `select`, or was read
                    stderr=errors,
                    start_new_session=True,
                    cwd="/",
                    # Of what this process was given, a relative path would lead elsewhere from there.
                    env={**os.environ, **settings.variables()},
                )

    def go(self) -> str:
        """Let it follow; return nothing where PostgreSQL has the record within `PATIENCE`, else why it lacks it."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return "no process could be started for it."
        with suppress(OSError):
            process.stdin.write(b"go\n")
            process.stdin.close()
            if not select.select([process.stdout], [], [], START_SECONDS)[0]:
                return f"the process for it has not begun within {START_SECONDS:g} s: this machine is busy."
            if process.stdout.readline() == _READY:
                if not select.select([process.stdout], [], [], PATIENCE)[0]:
                    return f"it has not answered within {PATIENCE:g} s."
                if said := process.stdout.readline():
                    return "" if said == _SAID else said.decode("utf-8", "replace").strip()
        return f"the process for it ended; the log logs/{LOG} of this home says more."

    def stay(self) -> None:
        """Let it end: there is nothing to follow."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()


def main() -> None:
    """Wait for the word, then follow."""
    from olist_pipeline.stores.schema import ready_url

    _say(_READY)
    if not sys.stdin.readline():
        return
    settings = Settings.from_env()
    try:
        journal.bring_to_database(settings.serving, ready_url(settings))
        said = _SAID
    except OlistError as error:
        _log.warning("%s %s", time.strftime("%Y-%m-%d %H:%M:%S"), error)
        said = f"{error}\n".encode("utf-8", "replace")[-select.PIPE_BUF :]
    _say(said)
    standby.prepare(settings.serving)


def _say(line: bytes) -> None:
    with suppress(OSError):  # nobody may listen any more
        os.write(sys.stdout.fileno(), line)


if __name__ == "__main__":
    main()
