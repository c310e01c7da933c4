"""How the programs end: what a person can mend is one sentence, and Ctrl+C none.

What belongs here: what both programs say at their end. What does not: what they do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from olist_pipeline.machine import PORTS
from olist_pipeline.troubles import sentence_of


@contextmanager
def one_sentence(program: str) -> Iterator[None]:
    """End the process in one sentence where the block fails by what a person can mend, and silently on Ctrl+C."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        sys.exit(f"{program}: {sentence}")


def port(text: str) -> int:
    """Return the number of a port, for argparse."""
    if not text.isdecimal() or int(text) not in PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; take one of {PORTS[0]} to {PORTS[-1]}")
    return int(text)
