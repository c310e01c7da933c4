"""What the tests of the graph share."""

import dagster as dg
import pytest

from olist_pipeline.orchestration.definitions import build_defs


@pytest.fixture(scope="session")
def definitions(parsed_project) -> dg.Definitions:
    """The definitions of the parsed project: building them takes half a second, and nobody changes them."""
    return build_defs(parsed_project)
