"""Building by month: any sequence of partition runs gives the tables of a full refresh. Real dbt, in this process."""

import json
import os
import shutil
from contextlib import contextmanager
from datetime import date

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from olist_pipeline.intake.span import as_of
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.dbt_build import build_arguments, window_of, window_variables
from olist_pipeline.orchestration.dbt_projects import as_of_variables
from olist_pipeline.registry import LANDING, STEPS
from olist_pipeline.settings import DBT_DIR, Settings
from olist_pipeline.staging import staged_months
from olist_pipeline.steps import run_intake, run_validation
from olist_pipeline.synthetic import generate
from olist_pipeline.tablediff.fingerprint import fingerprint
from tests.tables import MONTHLY_TABLES

pytestmark = pytest.mark.long

TODAY = date(2018, 11, 1)
MONTHS = list(MonthRange(date(2017, 10, 1), date(2018, 3, 1)))
"""The months that runs are drawn from; landing has others, too."""


class Warehouse:
    """A home whose monthly tables dbt builds in this process, over staging of two versions of landing."""

    def __init__(self, folder, url):
        self.url, self.folder = url, folder
        self.versions = [folder / "first", folder / "second"]
        for version in self.versions:
            generate(version, orders=120, seed=11)
        self.lose_orders(self.versions[1], "2017-11")
        self.settings = Settings(folder / "home", folder / "landing", url)
        self.span = MonthRange(date(2016, 9, 1), date(2018, 10, 1))
        paths = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
        self.dbt_options = ["--quiet", "--no-write-json", "--project-dir", str(DBT_DIR), "--profiles-dir", str(DBT_DIR)]
        self.dbt_options += paths
        variables = json.dumps({"as_of": "2018-10-17"})
        with self.environment():
            # Parsing takes longer than building: once for all builds, whose windows are asked for when they run.
            # A build writes into its manifest: each gets a copy.
            parsed = dbtRunner().invoke(["parse", "--vars", variables, *self.dbt_options]).result
            assert isinstance(parsed, Manifest)
            self.manifest = parsed

    def lose_orders(self, landing, month):
        """Take all orders of a month out of a landing: it has rows in the first version alone."""
        path = landing / ORDERS.file
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if f',"{month}' not in line and f",{month}" not in line]
        assert len(kept) < len(lines)
        path.write_text("".join(kept))

    def use(self, version):
        """Let a version of landing arrive."""
        shutil.rmtree(self.settings.landing, ignore_errors=True)
        shutil.copytree(self.versions[version], self.settings.landing)
        for table in LANDING.values():
            run_intake(self.settings, self.url, table, TODAY, "run")

    def begin_anew(self):
        """Return to a full run over the first version, which is run once and kept."""
        kept = self.folder / "kept"
        if not kept.exists():
            self.use(0)
            self.run_partitions(list(self.span))
            shutil.copytree(self.settings.home, kept)
        shutil.rmtree(self.settings.home)
        shutil.copytree(kept, self.settings.home)

    def validate(self, months):
        for step in STEPS:
            run_validation(self.settings, self.url, step, list(months) if step.is_monthly else None, "run", ORDERS)

    def build(self, window):
        arguments = build_arguments("new", is_whole=window is None)
        # The data tests are the same in each run: what is compared here are rows.
        arguments = ["run", *(part for part in arguments[1:] if part not in ("--exclude-resource-type", "unit_test"))]
        with self.environment():
            os.environ.update({**as_of_variables(as_of(self.settings.landing, ORDERS)), **window_variables(window)})
            done = dbtRunner(manifest=self.manifest.deepcopy()).invoke(
                [*arguments, "--select", "fqn:olist.new,config.materialized:incremental", *self.dbt_options]
            )
            # The adapter keeps the warehouse open in this process.
            DuckDBConnectionManager.close_all_connections()
        # As one text: a long representation would be shortened.
        said = [str(one.message) for one in getattr(done.result, "results", [])]
        assert done.success, str(done.exception or "; ".join(said))

    def run_partitions(self, months):
        """What a Dagster run over `months` does of monthly tables."""
        self.validate(months)
        staged = {
            month
            for step in STEPS
            for table in step.tables
            for month in staged_months(self.settings.staging, table.context, table.name)
        }
        self.build(window_of(months, staged))

    def tables(self):
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            return {name: fingerprint(connection, f"new.{name}").digest for name in sorted(MONTHLY_TABLES)}

    def rows(self, month):
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            return connection.execute("SELECT count(*) FROM new.fact_orders WHERE order_month = ?", [month]).fetchone()

    @contextmanager
    def environment(self):
        kept = dict(os.environ)
        self.settings.export()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, server):
    return Warehouse(tmp_path_factory.mktemp("months"), server)


# A sequence of one run is the beginning of any other: what it leaves is what the next one starts from.
sequences = st.lists(
    st.tuples(st.integers(0, len(MONTHS) - 1), st.integers(1, 3)).map(lambda drawn: MONTHS[drawn[0] :][: drawn[1]]),
    min_size=2,
    max_size=3,
)


@given(sequences)
@settings(
    max_examples=2,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_sequence_of_partition_runs_gives_what_a_full_refresh_gives(warehouse, sequence):
    """Landing changes in one month, in which all its orders are lost, and in all that follows from row numbers."""
    warehouse.begin_anew()
    warehouse.use(1)
    for months in sequence:
        warehouse.run_partitions(months)
    by_months = warehouse.tables()
    warehouse.build(None)
    assert by_months == warehouse.tables()


def test_a_month_that_lost_its_orders_is_emptied(warehouse):
    november = date(2017, 11, 1)
    warehouse.begin_anew()
    [before] = warehouse.rows(november)
    warehouse.use(1)
    warehouse.run_partitions([november])
    assert before > 0
    assert warehouse.rows(november) == (0,)


@pytest.mark.parametrize("month", [date(2016, 1, 1), date(2018, 11, 1)], ids=["before the first order", "without data"])
def test_a_month_without_orders_is_a_partition_without_rows(warehouse, month):
    warehouse.begin_anew()
    before = warehouse.tables()
    warehouse.run_partitions([month])
    assert warehouse.tables() == before
    assert (warehouse.settings.staging / "sales" / "orders" / f"{month:%Y-%m}.parquet").exists()


@pytest.mark.parametrize("first", ["2017-10-02", "x' or true --"])
def test_a_window_that_is_no_months_is_refused(warehouse, first):
    warehouse.begin_anew()
    with pytest.raises(AssertionError, match="must both be first days of months"):
        warehouse.build((Unwritten(first), date(2018, 1, 1)))


class Unwritten:
    """A month as somebody types it."""

    def __init__(self, text):
        self.text = text

    def isoformat(self):
        return self.text
