"""One definition, one more engine: frames of Spark agree with Polars on every rule, derivation and roll-up.

Polars agrees with objects and DuckDB (`tests/pipeline/engine`).
"""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest

from olist_domain.customer.facts import ORDER_ROLLUPS, REVIEW_ROLLUPS, PastOrderFacts, PastReviewFacts
from olist_domain.fulfillment.facts import POINT_ROLLUPS, GeolocationFacts
from olist_domain.marketplace.facts import REVIEW_ID_ROLLUPS, ReviewedOrderFacts
from olist_domain.sales.facts import ITEM_ROLLUPS, PAYMENT_ROLLUPS, OrderItemFacts, PaymentFacts
from olist_domain.sales.status import OrderStatus, PaymentType
from olist_pipeline.engine.names import FLAGS, REJECTS
from olist_pipeline.engine.rulebooks import derive, fill_empty, rollup, validate
from olist_pipeline.registry import CONTEXTS

ROWS = 400
BOOKS = [book for context in CONTEXTS.values() for book in context.rulebooks]
ROLLUPS = [
    (OrderItemFacts, ITEM_ROLLUPS),
    (PaymentFacts, PAYMENT_ROLLUPS),
    (PastOrderFacts, ORDER_ROLLUPS),
    (PastReviewFacts, REVIEW_ROLLUPS),
    (GeolocationFacts, POINT_ROLLUPS),
    (ReviewedOrderFacts, REVIEW_ID_ROLLUPS),
]
FIRST = datetime(2017, 12, 30, 23, 59, 58)
MONEY = pl.Decimal(18, 2)
TYPES: dict[type, Any] = {
    str: pl.String,
    int: pl.Int64,
    float: pl.Float64,
    bool: pl.Boolean,
    Decimal: MONEY,
    datetime: pl.Datetime("us"),
    date: pl.Date,
}
TEXTS = {
    "order_status": [*(status.value for status in OrderStatus), "lost"],
    "payment_type": [*(kind.value for kind in PaymentType), "not_defined"],
    "state": ["SP", "RJ", "AM", "sp", "XX", ""],
    "zip_code_prefix": ["01001", "1001", "99999", "0100a", "", "01001\n"],
    "review_comment_message": ["fine", " \t", "", "\u00a0", "bom"],
}


def values(name, kind, chance):
    """Return a value of a fact, or none: few values, so that boundaries are met often."""
    if chance.random() < 0.12:
        return None
    if kind is str:
        known = next((texts for end, texts in TEXTS.items() if name.endswith(end)), ["a", "b", "c d"])
        return chance.choice(known)
    if kind is int:
        return chance.choice([0, 1, 2, 3, 4, 5, 7, 30, 90, 180, 181, 365, 1000, 30_001])
    if kind is float:
        return chance.choice([0.0, -0.0, 0.125, -23.55, -46.63, 5.3, 91.0, 499.99951, -33.8, 1e-9])
    if kind is bool:
        return chance.choice([True, False])
    if kind is Decimal:
        return Decimal(chance.choice([-1, 0, 1, 2, 9999, 10_000, 10_001, 50_000, 100_000, 123_456])) / 100
    moment = FIRST + timedelta(seconds=chance.choice([0, 1, 2, 3599, 3600, 86_400, 86_401, 40 * 86_400, 400 * 86_400]))
    return moment.date() if kind is date else moment


def frame_of(facts, seed):
    """Return rows of facts at random, numbered by `n`."""
    chance = random.Random(seed)
    kinds = {name: get_args(hint)[0] for name, hint in get_type_hints(facts).items()}
    rows = [{name: values(name, kind, chance) for name, kind in kinds.items()} for _ in range(ROWS)]
    schema = {name: TYPES[kind] for name, kind in kinds.items()}
    return pl.DataFrame(rows, schema=schema).with_row_index("n").cast({"n": pl.Int64})


def on_spark(session, folder, frame):
    """Return a frame as Spark reads it from a file of ours."""
    frame.write_parquet(folder / "rows.parquet")
    return session.read.parquet(str(folder / "rows.parquet"))


def collected(frame):
    return pl.DataFrame(pl.from_arrow(frame.toArrow()))


def alike(frame):
    """Return a frame with the types that staging keeps: engines count and calculate in others."""
    kinds = frame.schema
    return frame.with_columns(
        pl.col(name).cast(pl.Int64) if kind.is_integer() else pl.col(name).cast(pl.Decimal(38, 4))
        for name, kind in kinds.items()
        if kind.is_integer() or isinstance(kind, pl.Decimal)
    )


@pytest.mark.spark
@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.subject)
def test_spark_agrees_on_rules_and_derivations(session, tmp_path, book):
    frame = frame_of(book.facts, 1)
    expected = validate(derive(frame, book), book)
    found = collected(validate(derive(on_spark(session, tmp_path, frame), book), book))
    said = [REJECTS, FLAGS, *(derivation.name for derivation in book.derivations)]
    differing = [
        name for name in said if not alike(found.sort("n"))[name].equals(alike(expected)[name], check_dtypes=True)
    ]
    assert differing == []
    assert not book.rules or expected[[REJECTS, FLAGS]].n_unique() > 1, "no rule was broken"


@pytest.mark.spark
@pytest.mark.parametrize(("facts", "rollups"), ROLLUPS, ids=lambda value: getattr(value, "__name__", ""))
def test_spark_agrees_on_what_parts_add_up_to(session, tmp_path, facts, rollups):
    frame = frame_of(facts, 2).with_columns((pl.col("n") % 60).cast(pl.String).alias("owner"))
    expected = fill_empty(rollup(frame, "owner", facts, rollups), rollups)
    found = collected(fill_empty(rollup(on_spark(session, tmp_path, frame), "owner", facts, rollups), rollups))
    assert alike(found.sort("owner")).equals(alike(expected.sort("owner")).select(found.columns))


def test_rows_of_every_rulebook_can_be_drawn():
    assert [book.subject for book in BOOKS if frame_of(book.facts, 1).height != ROWS] == []
    assert len(BOOKS) == 13
