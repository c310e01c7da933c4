"""Fixtures of the contexts' tests: whole sets, validated once."""

import pytest

from olist_pipeline.synthetic import generate
from tests.pipeline.contexts.worlds import ValidatedSet, validate_all


@pytest.fixture(scope="session")
def real_set(real_data) -> ValidatedSet:
    """The real set, validated."""
    return validate_all(real_data)


@pytest.fixture(scope="session")
def synthetic_set(tmp_path_factory) -> ValidatedSet:
    """A synthetic set of 3,000 orders, validated: it has quirks that the real one lacks."""
    landing = tmp_path_factory.mktemp("synthetic")
    generate(landing, orders=3_000, seed=11)
    return validate_all(landing)
