"""One session for all tests of Spark: two cores of this machine, and no UI."""

import os

import pytest

MASTER = "local[2]"
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
