"""Canonical JSON is the text that PostgreSQL gives of jsonb, and so an event's id is the one that it always had."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olist_pipeline.engine.canonical import canonical, json_objects
from olist_pipeline.engine.history import EVENTS, Columns, numbered
from olist_pipeline.stores.postgres import query, query_rows

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
EVENT = st.fixed_dictionaries(
    {
        "b": st.none() | TEXT,
        "aa": st.none() | st.integers(-(2**63), 2**63 - 1),
        "a": st.none() | st.booleans(),
        "ä": st.none() | st.lists(TEXT, max_size=3),
        "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "d": st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
        "": TEXT,
    }
)
SCHEMA: Columns = {
    "b": pl.String,
    "aa": pl.Int64,
    "a": pl.Boolean,
    "ä": pl.List(pl.String),
    "f": pl.Float64,
    "d": pl.Date,
    "": pl.String,
}
# Of the database's own making, as it was before events were identified outside of it.
ID = "md5(jsonb_build_array(%s::text, %s::text, %s::text, %s::timestamp, %s::jsonb)::text)"
by_the_server = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(rows=st.lists(EVENT, min_size=1, max_size=5))
@by_the_server
def test_the_text_of_a_row_is_that_of_jsonb(server, rows):
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    ours = json_objects(frame).to_list()
    plain = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_list()
    found = query(
        server, "SELECT text::jsonb::text AS text FROM unnest(%s) WITH ORDINALITY AS t (text, n) ORDER BY n", [plain]
    )
    assert ours == [row["text"] for row in found]


@given(context=TEXT, aggregate=TEXT, said=TEXT, moment=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
@by_the_server
def test_the_id_of_an_event_is_what_the_database_made_of_its_content(server, context, aggregate, said, moment):
    payload = canonical({"said": said, "n": [1, None, True, Decimal("1E+2"), Decimal("-0.0")]})
    row = ["Happened", context, "thing", aggregate, payload, moment, 0]
    [ours] = numbered(pl.DataFrame([row], schema={**EVENTS, "ordinal": pl.Int64}, orient="row"))["event_id"]
    assert [(ours,)] == query_rows(server, f"SELECT {ID}", [context, "Happened", aggregate, moment, payload])


@pytest.mark.parametrize(
    "value", [{"b": 1, "aa": {"z": [], "y": {}}}, [Decimal("0.10"), "é\x7f\n"], None, 'a\\b"c\x01']
)
def test_a_value_has_one_text(server, value):
    text = canonical(value)
    assert query(server, "SELECT %s::jsonb::text AS text", [text]) == [{"text": text}]


def test_of_equal_events_the_first_stays_and_versions_follow_the_ordinals():
    def rows(*ordinals):
        return pl.DataFrame(
            [["A" if n < 9 else "B", "c", "t", "x", "{}", datetime(2018, 1, 1), n] for n in ordinals],
            schema={**EVENTS, "ordinal": pl.Int64},
            orient="row",
        )

    found = numbered(rows(1, 3, 9))
    assert found.select("event_type", "version", "ordinal").rows() == [("A", 1, 1), ("B", 2, 9)]
    assert numbered(rows()).is_empty()
