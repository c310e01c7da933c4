"""The program `olist`: the command line as a process of its own.

What belongs here: how the process ends. What does not: what it does (`main`).
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import traceback
from contextlib import suppress
from typing import NoReturn

from olist_pipeline.cli import loading
from olist_pipeline.cli.main import main


def program() -> NoReturn:
    """Run the command line, and end the process at once with its exit code.

    Left alone, Python first frees what it has loaded piece by piece, which takes it over a second after a run.
    """
    code = 1
    loading.is_never_freed = True
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    _end(code)


def _end(code: int) -> NoReturn:
    """Do what Python does for others when it ends, and nothing for itself."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 - only Python itself runs them otherwise, in the end that is left out
    for stream in (sys.stdout, sys.stderr):
        # Closed, or nobody reads on: `main` has said what there is to say.
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code)
