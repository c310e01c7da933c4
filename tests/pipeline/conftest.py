"""What tests of the pipeline share: toy releases, which the dashboards' own queries do not fit, and roles."""

import pytest

from olist_pipeline.serving import release_checks
from olist_pipeline.stores import roles
from tests.pipeline.roles import ANALYST, RUNTIME, alone, psql


@pytest.fixture(scope="package", autouse=True)
def no_dashboards():
    """Releases of toy tables are audited without the dashboards; their tests and the end-to-end tests have them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release_checks, "dashboard_queries", dict)
        yield


@pytest.fixture(scope="session")
def granted(dagster_server):
    """The server, once the printed statements were piped into psql, twice."""
    printed = roles.script(runtime=RUNTIME, analyst=ANALYST)
    for _ in range(2):
        ran = psql(dagster_server, printed)
        assert ran.returncode == 0, ran.stderr
    for role in (RUNTIME, ANALYST):
        alone(dagster_server, f"ALTER ROLE \"{role}\" PASSWORD '{role}'")
    return dagster_server
