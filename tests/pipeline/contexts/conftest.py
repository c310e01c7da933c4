"""Fixtures of the contexts' tests: whole sets, judged once."""

import pytest

from olist_pipeline.synthetic import generate
from tests.pipeline.contexts.worlds import JudgedSet, judge_all


@pytest.fixture(scope="session")
def real_set(real_data) -> JudgedSet:
    """The real set, judged."""
    return judge_all(real_data)


@pytest.fixture(scope="session")
def synthetic_set(tmp_path_factory) -> JudgedSet:
    """A synthetic set of 3,000 orders, judged: it has quirks that the real one lacks."""
    landing = tmp_path_factory.mktemp("synthetic")
    generate(landing, orders=3_000, seed=11)
    return judge_all(landing)
