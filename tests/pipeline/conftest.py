"""What tests of the pipeline share: toy releases, which the dashboards' own queries do not fit."""

import pytest

from olist_pipeline.serving import audit


@pytest.fixture(autouse=True)
def no_dashboards(monkeypatch):
    """Releases of toy tables are audited without the dashboards; their tests and the end-to-end tests have them."""
    monkeypatch.setattr(audit, "DASHBOARD_QUERIES", "no_such_dashboards.queries")
