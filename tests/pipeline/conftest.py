"""Fixtures that several packages of the pipeline's tests share."""

import pytest

from olist_pipeline.stores import roles
from tests.pipeline.roles import ANALYST, RUNTIME, alone, psql


@pytest.fixture(scope="session")
def granted(dagster_server):
    """The server, once the printed statements were piped into psql, twice."""
    printed = roles.script(runtime=RUNTIME, analyst=ANALYST)
    for _ in range(2):
        told = psql(dagster_server, printed)
        assert told.returncode == 0, told.stderr
    for role in (RUNTIME, ANALYST):
        alone(dagster_server, f"ALTER ROLE \"{role}\" PASSWORD '{role}'")
    return dagster_server
