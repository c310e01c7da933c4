"""Loading: what a command imports and builds once, and keeps until its process ends.

What belongs here: keeping Python's garbage collector away from it. What does not: what is loaded.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

is_never_freed = False
"""Whether the process ends without freeing anything, as `program` ends it: else DuckDB reports what is left."""


@contextmanager
def loading() -> Iterator[None]:
    """Load in the block what stays: Python looks for no garbage meanwhile, and never again in what is there then.

    Of Dagster's modules and the graph that takes it a second, and again each time that it looks through everything.
    """
    gc.disable()
    try:
        yield
    finally:
        if is_never_freed:
            gc.freeze()
        gc.enable()
