"""Customers in parts by person: whatever the rows, the parts leave together what one unit leaves."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from olist_pipeline.contexts.customer import CUSTOMER
from olist_pipeline.engine.history import NUMBERED
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.catalogue import CUSTOMERS
from olist_pipeline.months import MONTH
from olist_pipeline.staging import intake_path, scan_staging, write_frame, write_months
from olist_pipeline.validation.units import Unit, units_of_all
from olist_pipeline.validation.work import TableReport, ValidationWork
from tests.pipeline.contexts.worlds import MONTHS

[STEP] = CUSTOMER.steps
MOMENTS = [datetime(2017, 10, 2, 10), datetime(2018, 1, 5, 10), datetime(2018, 1, 5, 10, 0, 1)]
PLACED_IN = [date(2017, 10, 1), date(2018, 1, 1)]
PLACES = ["01001,sao paulo,SP", "20001,rio de janeiro,RJ", "2000,rio de janeiro,RJ", "01001,sao paulo,ZZ", ",,"]
ORDERS: dict[str, pl.DataType | type[pl.DataType]] = {
    "order_id": pl.String,
    "customer_id": pl.String,
    "order_purchase_timestamp": pl.Datetime("us"),
    "is_sale": pl.Boolean,
    "revenue": pl.Decimal(18, 2),
}
REVIEWS: dict[str, pl.DataType | type[pl.DataType]] = {"order_id": pl.String, "review_score": pl.Int64}

customers = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 6), st.sampled_from(PLACES)).map(
        lambda row: "c{},p{},{}".format(*row)
    ),
    max_size=30,
)
orders = st.lists(
    st.tuples(
        st.integers(0, 32).map("c{}".format),
        st.sampled_from(MOMENTS),
        st.booleans(),
        st.sampled_from(["0.00", "10.00", "10.01", "900.00"]).map(Decimal),
    ),
    max_size=25,
)
reviews = st.lists(st.tuples(st.integers(0, 26).map("o{}".format), st.integers(1, 5)), max_size=15)


class Left:
    """What the work on units left, whatever the order of rows and of units."""

    def __init__(self, home, units):
        folders = (home / "intake", home / "staging", home / "outbox")
        work = ValidationWork(STEP, *folders, date(2018, 7, 5), frozenset(), "code")
        work.overview(units)
        reports = [work(unit) for unit in units]
        work.take_place(units)
        self.frames = {
            table.name: scan_staging(work.staging, "customer", table.name).collect() for table in STEP.tables
        }
        self.frames["quarantine"] = pl.concat(pl.read_parquet(report.quarantine) for report in reports)
        events = [pl.read_parquet(file.path) for report in reports for file in report.events]
        self.frames["events"] = pl.concat([pl.DataFrame(schema=NUMBERED), *events]).drop("ordinal")
        self.counts = {
            table.name: TableReport.sum_of(report.tables[table.name] for report in reports) for table in STEP.tables
        }

    def equals(self, other):
        same = (rows_of(frame) == rows_of(other.frames[name]) for name, frame in self.frames.items())
        return all(same) and self.counts == other.counts


def rows_of(frame):
    return frame.schema, sorted(frame.rows(), key=repr)


def written(home, rows, placed, said):
    """Write intake of these customers, and staging of these orders and reviews, into a new home."""
    (home / CUSTOMERS.file).write_text("\n".join([",".join(CUSTOMERS.columns), *rows]) + "\n")
    write_frame(ingest(CUSTOMERS, home, MONTHS, None), intake_path(home / "intake", "customers"))
    staged = pl.DataFrame([(f"o{n}", *order) for n, order in enumerate(placed)], schema=ORDERS, orient="row")
    write_months(by_month(staged), home / "staging", "sales", "orders", PLACED_IN)
    month = pl.lit(PLACED_IN[0]).alias(MONTH)
    scores = pl.DataFrame(said, schema=REVIEWS, orient="row").with_columns(month)
    write_months(scores, home / "staging", "marketplace", "order_reviews", PLACED_IN[:1])
    return home


def by_month(orders):
    return orders.with_columns(pl.col("order_purchase_timestamp").dt.date().dt.month_start().alias(MONTH))


@given(rows=customers, placed=orders, said=reviews, limit=st.integers(3, 12))
@examples(max_examples=12)
def test_parts_of_the_persons_leave_what_one_unit_leaves(tmp_path_factory, rows, placed, said, limit):
    homes = [written(tmp_path_factory.mktemp("home"), rows, placed, said) for _ in range(2)]
    parts = units_of_all(len(rows), STEP.cut, limit)
    whole, cut = Left(homes[0], [Unit(None)]), Left(homes[1], parts)
    assert cut.equals(whole)
    if len(parts) > 1:
        names = sorted(path.name for path in (homes[1] / "staging" / "customer" / "persons").iterdir())
        assert names == sorted(f"snapshot.{n + 1}of{len(parts)}.parquet" for n in range(len(parts)))
