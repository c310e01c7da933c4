"""One session for all tests of Spark: two cores of this machine, and no UI; and one home of Polars to compare with."""

import os

import pytest

from benchmarks.same import spoilt
from olist_pipeline.settings import Settings
from olist_pipeline.validation import units
from tests.conftest import empty_stores
from tests.pipeline.spark.left import validate_all

MASTER = "local[2]"
ORDERS = 60
ROWS = 12
"""So many rows a unit: the larger months of these orders are cut."""
DEFAULTS = """
spark.ui.enabled            false
spark.driver.host           127.0.0.1
spark.driver.bindAddress    127.0.0.1
spark.driver.memory         1g
spark.sql.shuffle.partitions 2
"""


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """A session that takes its further settings from Spark's own configuration."""
    from olist_pipeline.spark.session import session_at

    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(f"{DEFAULTS}spark.sql.warehouse.dir {folder}/warehouse\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SPARK_CONF_DIR", str(folder))
        started = session_at(MASTER, folder / "spark.log")
        yield started
        started.stop()


@pytest.fixture(scope="session")
def on_one(server, tmp_path_factory):
    """Settings of a home of Polars, and a landing of which a fifth of all rows is spoilt."""
    folder = tmp_path_factory.mktemp("one")
    return Settings(folder / "polars", spoilt(folder / "landing", ORDERS, 2), server)


@pytest.fixture(scope="session")
def on_polars(on_one, server):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "ROWS_A_UNIT", ROWS)
        empty_stores(server)
        return validate_all(on_one)
