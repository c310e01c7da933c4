"""Columns of a file that no field of a record can be called like: the record says their names as aliases."""

import re
from decimal import Decimal

import duckdb
import pytest
from pydantic import Field

from olist_domain.kernel.records import Record
from olist_pipeline.errors import OlistError
from olist_pipeline.intake.parts import typed_part
from olist_pipeline.landing.csv_file import check_file, read_records, read_text
from olist_pipeline.landing.table import LandingTable
from olist_pipeline.parity.reconciliation import landing_relation

HEADER = "note,Order ID,from,rules,Total ($)"


class Bought(Record):
    order_id: int = Field(alias="Order ID")
    of_from: str | None = Field(default=None, alias="from")
    of_rules: str = Field(alias="rules")
    total: Decimal = Field(alias="Total ($)")


TABLE = LandingTable("bought", "bought.csv", "buying", Bought, ("order_id",), aggregate="bought", identity="order_id")


def written(tmp_path, *lines, header=HEADER, end="\n"):
    path = tmp_path / "bought.csv"
    path.write_text("\n".join([header, *lines]) + end)
    return path


def test_cells_are_called_as_the_record_calls_them(tmp_path):
    path = written(tmp_path, "a,1,x,r,2.50", "b,2,,s,3.00", "c,3,y", HEADER)
    text = read_text(path, TABLE)
    assert text.rows.columns == ["source_row", "order_id", "of_from", "of_rules", "total"]
    assert text.rows.rows()[:2] == [(1, "1", "x", "r", "2.50"), (2, "2", None, "s", "3.00")]
    assert check_file(path, TABLE)[1] == ("note",)
    assert text.malformed.select("source_row", "order_id").rows() == [(3, "3")]
    typed = typed_part(text, TABLE).rows
    assert typed.select("order_id", "total").rows()[:2] == [(1, Decimal("2.50")), (2, Decimal("3.00"))]
    assert "REPEATED_HEADER" in typed["rules"][2]


def test_the_second_reader_calls_them_so_and_replay_writes_them_as_they_came(tmp_path):
    path = written(tmp_path, "a,1,x,r,2.50")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT total, order_id FROM {landing_relation([path], TABLE)}").fetchall()
    assert found == [("2.50", "1")]
    records, _, _ = read_records(path, TABLE)
    assert records.write_csv() == path.read_text()


def test_a_number_at_the_end_may_be_cut_short_whatever_its_column_is_called(tmp_path):
    text = read_text(written(tmp_path, "a,1,x,r,2.50", "b,2,x,r,2.5", end=""), TABLE)
    assert (text.rows.height, text.malformed.select("source_row", "order_id").rows()) == (1, [(2, "2")])


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("order_id,from,rules,total", "lacks the columns Order ID, Total ($)"),
        ("a,b", "restore Order ID,from,rules,Total ($)."),
        (f"Title\n{HEADER}", "has its header in line 2"),
    ],
)
def test_what_a_header_lacks_is_named_as_the_file_should_say_it(tmp_path, header, said):
    with pytest.raises(OlistError, match=re.escape(said)):
        read_text(written(tmp_path, header=header), TABLE)


def test_two_fields_cannot_read_one_column():
    class Twice(Record):
        a: str = Field(alias="b")
        b: str

    with pytest.raises(OlistError, match="two fields of its record read the same column"):
        LandingTable("twice", "twice.csv", "buying", Twice, ("a",), aggregate="twice", identity="a")


def test_a_record_is_made_by_its_own_names_as_by_those_of_the_file():
    own = Bought.model_validate({"order_id": 1, "of_rules": "r", "total": Decimal(2)})
    assert own == Bought.model_validate({"Order ID": 1, "rules": "r", "Total ($)": 2})
    assert own.model_dump(mode="json") == {"order_id": 1, "of_from": None, "of_rules": "r", "total": "2"}
