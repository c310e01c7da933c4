"""Fixtures of the comparator's tests."""

import duckdb
import pytest

from olist_pipeline.tablediff import compare as compare_module


@pytest.fixture(scope="session")
def shared_database():
    # Thousands of tiny queries: handing them to threads costs more than running them.
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@pytest.fixture
def con(shared_database):
    """A database in memory; tests share it and replace the tables that they name."""
    return shared_database


@pytest.fixture(params=["fast path allowed", "detailed pass forced"])
def any_path(request, monkeypatch):
    """Run a test once as it is, and once without the fast path."""
    if request.param == "detailed pass forced":
        monkeypatch.setattr(compare_module, "same_rows", lambda work, plan: False)
    return request.param
