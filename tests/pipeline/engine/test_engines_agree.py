"""One definition, several engines: objects, Polars frames and DuckDB relations agree on every rule and derivation."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.datatypes import DataType, DataTypeClass

from olist_domain.kernel.facts import Fact, scalars
from olist_domain.kernel.rules import Aggregation, Rollup, Rulebook, Severity, derivation, rule
from olist_domain.sales.facts import ITEM_ROLLUPS, PAYMENT_ROLLUPS
from olist_domain.sales.rules import ORDER_ITEM_RULES, ORDER_RULES, PAYMENT_RULES
from olist_domain.sales.status import OrderStatus, PaymentType
from olist_pipeline.engine.names import FLAGS, REJECTS
from olist_pipeline.engine.rulebooks import derive, fill_empty, rollup, validate

MONEY, MOMENT = pl.Decimal(18, 2), pl.Datetime("us")
moments = st.none() | st.datetimes(datetime(2017, 1, 1), datetime(2017, 1, 3)).map(lambda m: m.replace(microsecond=0))
money = st.none() | st.decimals(-2, 3, places=2)
counts = st.none() | st.integers(0, 26)
statuses = st.none() | st.sampled_from([*(status.value for status in OrderStatus), "lost"])
kinds = st.none() | st.sampled_from([*(kind.value for kind in PaymentType), "not_defined"])
texts = st.none() | st.sampled_from(["a", "b"])

# The values and the column type of every fact, by name: few values, so that boundaries are met often.
VALUES: dict[str, tuple[st.SearchStrategy, DataType | DataTypeClass]] = {
    "order_id": (texts, pl.String),
    "customer_id": (texts, pl.String),
    "seller_id": (texts, pl.String),
    "order_status": (statuses, pl.String),
    "payment_type": (kinds, pl.String),
    "payment_sequential": (counts, pl.Int64),
    "payment_installments": (counts, pl.Int64),
    "total_items": (counts, pl.Int64),
    "num_sellers": (counts, pl.Int64),
    "total_payments": (counts, pl.Int64),
    "fee": (money, MONEY),
    **dict.fromkeys(
        ("price", "freight_value", "payment_value", "total_price", "total_freight", "total_payment"),
        (money, MONEY),
    ),
    **dict.fromkeys(
        (
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "received_at",
        ),
        (moments, MOMENT),
    ),
}
BOOKS = (ORDER_RULES, ORDER_ITEM_RULES, PAYMENT_RULES)


def names(book):
    return [field.name for field in fields(book.facts)]


def rows_of(book):
    return st.lists(st.fixed_dictionaries({name: VALUES[name][0] for name in names(book)}), min_size=1, max_size=25)


def frame_of(book, rows):
    return pl.DataFrame(rows, schema={name: VALUES[name][1] for name in names(book)}).with_row_index("n")


def on_objects(book, row):
    facts = scalars(book.facts, row)
    broken = book.violations(facts, "it")
    by_severity = {severity: [v.code for v in broken if v.severity == severity] for severity in ("reject", "flag")}
    return {REJECTS: by_severity["reject"], FLAGS: by_severity["flag"], **book.derived(facts)}


def as_objects(book, frame):
    """Return validated rows in the form of `on_objects`, in the order of `n`."""
    derived = [derivation.name for derivation in book.derivations]
    rows = frame.sort("n").select(REJECTS, FLAGS, *derived).to_dicts()
    return [{**row, REJECTS: codes(row[REJECTS]), FLAGS: codes(row[FLAGS])} for row in rows]


def codes(text):
    return text.split(",") if text else []


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.subject)
@given(data=st.data())
@settings(max_examples=60)
def test_polars_agrees_with_objects(book, data):
    rows = data.draw(rows_of(book))
    validated = validate(derive(frame_of(book, rows), book), book)
    assert as_objects(book, validated) == [on_objects(book, row) for row in rows]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.subject)
@given(data=st.data())
@settings(max_examples=25)
def test_duckdb_agrees_with_objects(book, data):
    rows = data.draw(rows_of(book))
    frame = frame_of(book, rows)
    with duckdb.connect() as connection:
        validated = validate(derive(connection.from_arrow(frame.to_arrow()), book), book).pl()
    assert as_objects(book, validated) == [on_objects(book, row) for row in rows]


ROLLUPS = [(ORDER_ITEM_RULES, ITEM_ROLLUPS), (PAYMENT_RULES, PAYMENT_ROLLUPS)]


@pytest.mark.parametrize(("book", "rollups"), ROLLUPS, ids=["items", "payments"])
@given(data=st.data())
@settings(max_examples=25)
def test_engines_agree_on_what_parts_add_up_to(book, rollups, data):
    rows = data.draw(rows_of(book))
    owners = data.draw(st.lists(st.sampled_from(["o1", "o2"]), min_size=len(rows), max_size=len(rows)))
    frame = frame_of(book, rows).with_columns(owner=pl.Series(owners))
    with duckdb.connect() as connection:
        on_duckdb = rollup(connection.from_arrow(frame.to_arrow()), "owner", book.facts, rollups).pl()
    on_polars = rollup(frame, "owner", book.facts, rollups)
    for aggregated in (fill_empty(on_polars, rollups), fill_empty(on_duckdb, rollups)):
        for result in aggregated.to_dicts():
            parts = [
                scalars(book.facts, row) for row, owner in zip(rows, owners, strict=True) if owner == result["owner"]
            ]
            assert result == {"owner": result["owner"], **{each.name: each.over(parts) for each in rollups}}


def test_every_fact_has_values():
    assert {name for book in BOOKS for name in names(book)} <= set(VALUES)


def test_decimals_stay_exact_on_frames():
    row = dict.fromkeys(names(ORDER_RULES)) | {
        "total_price": Decimal("0.10"),
        "total_freight": Decimal("0.20"),
        "total_payment": Decimal("0.31"),
    }
    derived = derive(frame_of(ORDER_RULES, [row]), ORDER_RULES)
    assert derived["total_amount"].to_list() == [Decimal("0.30")]
    assert derived["has_payment_mismatch"].to_list() == [False], "0.30 and 0.31 are 0.01 apart, not more"


@dataclass(frozen=True, eq=False)
class Amounts:
    price: Fact[Decimal]
    fee: Fact[Decimal]


@given(
    rows=st.lists(st.fixed_dictionaries({"price": money, "fee": money}), min_size=1, max_size=9),
    rate=st.decimals(-2, 2, places=3) | st.sampled_from([Decimal("1E+1"), Decimal(0), Decimal("0.05")]),
)
@settings(max_examples=8)
def test_an_amount_times_a_rate_is_exact_on_every_engine(rows, rate):
    """Polars rounds the product of two decimals to the digits of the longer one."""

    @derivation()
    def share(of: Amounts) -> Fact[Decimal]:
        """A share of the price."""
        return of.price * rate

    @rule("FEE_ABOVE_SHARE", Severity.FLAG)
    def is_below_share(of: Amounts) -> Fact[bool]:
        """The fee is not above the share of the price."""
        return of.fee <= of.price * rate

    book = Rulebook("tests", "amount", "amounts", Amounts, (is_below_share,), (share,))
    frame = frame_of(book, rows)
    with duckdb.connect() as connection:
        on_duckdb = validate(derive(connection.from_arrow(frame.to_arrow()), book), book).pl()
    for validated in (validate(derive(frame, book), book), on_duckdb):
        assert as_objects(book, validated) == [on_objects(book, row) for row in rows]


@dataclass(frozen=True)
class CountFacts:
    number: Fact[int]


NUMBER: list[Rollup[CountFacts]] = [Rollup("total", Aggregation.SUM, lambda counted: counted.number, empty=0)]


@pytest.mark.parametrize(
    ("values", "kind", "total"),
    [
        ([2**31 - 1, 1], pl.Int32, 2**31),
        ([2**62, 2**62, -(2**62)], pl.Int64, 2**62),
        ([2**62, 2**62 - 1], pl.Int64, 2**63 - 1),
        ([-(2**62), -(2**62)], pl.Int64, -(2**63)),
        ([None, 7], pl.Int64, 7),
        ([None], pl.Int64, 0),
    ],
)
def test_engines_agree_on_sums_up_to_64_bits(values, kind, total):
    frame = pl.DataFrame({"owner": ["o"] * len(values), "number": pl.Series(values, dtype=kind)})
    with duckdb.connect() as connection:
        on_duckdb = rollup(connection.from_arrow(frame.to_arrow()), "owner", CountFacts, NUMBER).pl()
    for found in (on_duckdb, rollup(frame, "owner", CountFacts, NUMBER)):
        assert found.schema["total"] == pl.Int64
        assert found["total"].to_list() == [total]
    assert NUMBER[0].over([scalars(CountFacts, {"number": value}) for value in values]) == total


@pytest.mark.parametrize("values", [[2**62, 2**62], [-(2**62), -(2**62), -1]])
def test_no_engine_begins_anew_beyond_64_bits(values):
    """Polars did, below zero; DuckDB went on to 128 bits, which no column of staging has."""
    frame = pl.DataFrame({"owner": ["o"] * len(values), "number": values})
    with duckdb.connect() as connection, pytest.raises(duckdb.ConversionException):
        rollup(connection.from_arrow(frame.to_arrow()), "owner", CountFacts, NUMBER).pl()
    with pytest.raises(pl.exceptions.InvalidOperationError, match="of_total"):
        rollup(frame, "owner", CountFacts, NUMBER)
    with pytest.raises(OverflowError, match=r"total adds up to -?9223372036854775"):
        NUMBER[0].over([scalars(CountFacts, {"number": value}) for value in values])
