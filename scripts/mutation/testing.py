"""How pytest runs here: the same way when it is recorded and when it is to notice a mutant.

What belongs here: options of pytest and of hypothesis. What does not: which tests run.
"""

import hypothesis

PROFILE = "mutants"
PYTEST = (
    "-q",
    "-x",
    "--assert=plain",
    "--tb=short",
    "--show-capture=no",
    "-pno:cacheprovider",
    "-p_hypothesis_pytestplugin",
    "--hypothesis-seed=0",
    f"--hypothesis-profile={PROFILE}",
)
"""Few read how a test fails, so nothing is rewritten for that. No other plugin is loaded: see `ENVIRONMENT`."""

# An example that fails is enough: nobody asks for the smallest one, and it is not kept.
hypothesis.settings.register_profile(
    PROFILE,
    database=None,
    deadline=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(hypothesis.HealthCheck),
)
