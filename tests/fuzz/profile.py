"""How many examples a fuzz test draws, and from which seed: a few in the suite, as many as one likes by hand.

OLIST_FUZZ_EXAMPLES=5000 OLIST_FUZZ_SEED=1 python -m pytest tests/fuzz
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, seed, settings

DEFAULT_SEED = 20180901


def fuzzed(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the decorator of a property: `examples` and a fixed seed, unless the environment says otherwise."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        asked = os.environ.get("OLIST_FUZZ_EXAMPLES")
        # Of thousands, the first that fails is found by its seed again; to shrink it may take longer than to find it.
        phases = [Phase.generate] if asked else [Phase.generate, Phase.shrink]
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        profile = settings(
            max_examples=int(asked or examples),
            database=None,
            phases=phases,
            suppress_health_check=checks,
        )
        return seed(int(os.environ.get("OLIST_FUZZ_SEED", DEFAULT_SEED)))(profile(test))

    return decorate
