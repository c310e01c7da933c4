"""How many examples a fuzz test draws, and from which seed: a few in the suite, as many as one likes by hand.

OLIST_FUZZ_EXAMPLES=5000 OLIST_FUZZ_SEED=1 python -m pytest tests/fuzz
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, seed, settings

DEFAULT_SEED = 20180901


def fuzzed(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the decorator of a property: `examples` and a fixed seed, unless the environment says otherwise."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        count = int(os.environ.get("OLIST_FUZZ_EXAMPLES", examples))
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        profile = settings(
            max_examples=count, deadline=None, database=None, print_blob=True, suppress_health_check=checks
        )
        return seed(int(os.environ.get("OLIST_FUZZ_SEED", DEFAULT_SEED)))(profile(test))

    return decorate
