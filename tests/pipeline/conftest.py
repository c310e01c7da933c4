"""What tests of the pipeline share: toy releases, which the dashboards' own queries do not fit."""

import pytest

from olist_pipeline.serving import audit


@pytest.fixture(scope="package", autouse=True)
def no_dashboards():
    """Releases of toy tables are audited without the dashboards; their tests and the end-to-end tests have them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "DASHBOARD_QUERIES", "no_such_dashboards.queries")
        yield
