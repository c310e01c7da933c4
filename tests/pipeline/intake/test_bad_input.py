"""Bad input: each ends in one clear sentence or in quarantine with a code, never in a crash or a silent null."""

import json
import re
from datetime import date, datetime

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.intake.rows import IS_VALID, ingest
from olist_pipeline.intake.span import dated_span
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDER_PAYMENTS, ORDER_REVIEWS, ORDERS
from olist_pipeline.months import MonthRange

MONTHS = MonthRange(date(2016, 1, 1), date(2018, 12, 1))
ITEMS, ORDERS_FILE = ORDER_ITEMS.file, ORDERS.file


def edit(landing, file, old, new):
    path = landing / file
    content = path.read_bytes()
    assert old in content, "the test must find what it spoils"
    path.write_bytes(content.replace(old, new))


def rules(landing, table, **changes):
    """Return the structural codes of each row, in the file's order."""
    orders = ingest(ORDERS, landing, MONTHS) if table.parent else None
    return ingest(table, landing, MONTHS, orders, **changes)["rules"].to_list()


def test_a_valid_landing_breaks_nothing(landing):
    for table in (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS):
        assert set(rules(landing, table)) == {""}


class TestUnusableFiles:
    """The run cannot be done: one sentence says what, where, and what to do."""

    def sentence(self, landing, table=ORDERS):
        with pytest.raises(OlistError) as raised:
            ingest(table, landing, MONTHS)
        text = str(raised.value)
        assert "\n" not in text
        return text

    def test_missing_file(self, landing):
        (landing / ORDERS_FILE).unlink()
        assert f"{ORDERS_FILE} is missing in {landing}" in self.sentence(landing)

    def test_landing_is_a_file(self, landing):
        assert "is a file; set OLIST_DATA_DIR" in self.sentence(landing / ORDERS_FILE)

    def test_landing_does_not_exist(self, landing):
        assert "does not exist" in self.sentence(landing / "nowhere")

    def test_renamed_column(self, landing):
        edit(landing, ORDERS_FILE, b'"order_status"', b'"status"')
        text = self.sentence(landing)
        assert "lacks the column order_status" in text
        assert "it has status instead" in text

    @pytest.mark.parametrize("name", ["\ufefforder_status", "order\u200b_status", "order_status\xa0", "order_status "])
    def test_a_name_that_differs_by_what_one_does_not_see_is_shown(self, landing, name):
        edit(landing, ORDERS_FILE, b'"order_status"', f'"{name}"'.encode())
        assert f"(it has {name!a} instead: renamed?)" in self.sentence(landing)

    @pytest.mark.parametrize(
        "header", [b"x" * 9_000, b",".join(b"c%d" % n for n in range(5_000)), b"order_id," * 3_000]
    )
    def test_a_header_of_thousands_of_names_is_not_shown_whole(self, landing, header):
        for first in (b"order_id,", b""):
            (landing / ORDERS_FILE).write_bytes(first + header + b"\n")
            assert len(self.sentence(landing)) < 500

    @pytest.mark.parametrize(
        ("end", "remedy"), [(b",", "remove the comma at the end of its lines"), (b",7", "with a name for each column")]
    )
    def test_a_cell_more_in_every_record(self, landing, end, remedy):
        header, *records = (landing / ORDERS_FILE).read_bytes().splitlines()
        (landing / ORDERS_FILE).write_bytes(b"\n".join([header, *(record + end for record in records), b""]))
        text = self.sentence(landing)
        assert "has 8 columns in its header and 9 cells in every record" in text
        assert remedy in text

    def test_repeated_column(self, landing):
        edit(landing, ORDERS_FILE, b'"customer_id"', b'"order_id"')
        assert "has the column order_id more than once" in self.sentence(landing)

    @pytest.mark.parametrize("delimiter", [b";", b"\t", b"|"])
    def test_another_delimiter(self, landing, delimiter):
        edit(landing, ORDERS_FILE, b",", delimiter)
        assert "export it again with commas" in self.sentence(landing)

    def test_latin_1_bytes(self, landing):
        edit(landing, ORDERS_FILE, b"o2,c2", "o2,são".encode("latin-1"))
        assert "is not UTF-8: byte 0xE3 in line 3" in self.sentence(landing)

    def test_latin_1_bytes_in_the_header(self, landing):
        edit(landing, ORDERS_FILE, b'"customer_id"', b'"\xe3"')
        assert "is not UTF-8: byte 0xE3 in line 1" in self.sentence(landing)

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf"])
    def test_empty_file(self, landing, content):
        (landing / ORDERS_FILE).write_bytes(content)
        assert "is empty: it has no header" in self.sentence(landing)

    def test_a_quote_that_never_closes(self, landing):
        edit(landing, ORDERS_FILE, b"o2,c2", b'o2,"c2')
        assert "has a quote that never closes" in self.sentence(landing)

    @pytest.mark.parametrize(("dates", "example"), [(b"x" * 99, ", but e.g. '" + "x" * 60 + "'"), (b"", "")])
    def test_no_date_that_can_be_read(self, landing, dates, example):
        path = landing / ORDERS_FILE
        path.write_bytes(re.sub(rb"(?<=delivered,)[^,]+|(?<=shipped,)[^,]+", dates, path.read_bytes()))
        with pytest.raises(OlistError, match=f"like 2017-10-02 10:56:33 between 2016-01-01 and today{example}; check"):
            dated_span(landing, ORDERS, date(2018, 1, 1))


class TestHarmlessFiles:
    """What exports commonly do to a file changes nothing."""

    @pytest.fixture
    def plain(self, landing):
        return ingest(ORDERS, landing, MONTHS)

    def test_byte_order_mark(self, landing, plain):
        (landing / ORDERS_FILE).write_bytes(b"\xef\xbb\xbf" + (landing / ORDERS_FILE).read_bytes())
        assert ingest(ORDERS, landing, MONTHS).equals(plain)

    def test_crlf(self, landing, plain):
        edit(landing, ORDERS_FILE, b"\n", b"\r\n")
        assert ingest(ORDERS, landing, MONTHS).equals(plain)

    def test_extra_column(self, landing, plain):
        edit(landing, ORDERS_FILE, b"\n", b",x\n")
        assert ingest(ORDERS, landing, MONTHS).equals(plain)

    def test_reordered_columns(self, landing, plain):
        text = pl.read_csv(landing / ORDERS_FILE, infer_schema=False)
        text.select(reversed(text.columns)).write_csv(landing / ORDERS_FILE)
        assert ingest(ORDERS, landing, MONTHS).equals(plain)

    @pytest.mark.parametrize("name", ["source_row", "rules", "payload", "order_month", "flags", "text", "is_truncated"])
    def test_an_extra_column_named_like_one_of_ours(self, landing, plain, name):
        header, *records = (landing / ORDERS_FILE).read_text().splitlines()
        lines = [f"{name},{header}", *(f"7,{record}" for record in records)]
        (landing / ORDERS_FILE).write_text("\n".join(lines) + "\n")
        assert ingest(ORDERS, landing, MONTHS).equals(plain)

    def test_blank_lines(self, landing, plain):
        edit(landing, ORDERS_FILE, b"\n", b"\n\n")
        assert ingest(ORDERS, landing, MONTHS).equals(plain)

    def test_a_header_alone(self, landing):
        header = (landing / ORDERS_FILE).read_bytes().splitlines(keepends=True)[0]
        (landing / ORDERS_FILE).write_bytes(header)
        assert ingest(ORDERS, landing, MONTHS).height == 0

    def test_a_quoted_line_break_stays_in_its_cell(self, landing):
        edit(landing, ORDERS_FILE, b"o1,c1,", b'o1,"c\n1",')
        rows = ingest(ORDERS, landing, MONTHS)
        assert rows["customer_id"].to_list() == ["c\n1", "c2"]
        assert rows["source_row"].to_list() == [1, 2], "records are counted, not lines"


class TestBadCells:
    @pytest.mark.parametrize("price", [b"abc", b"1e400", b"1e2", b"29.999", b" 29.99", b"29,99", b"NaN", b"R$ 29"])
    def test_a_price_that_is_none(self, landing, price):
        edit(landing, ITEMS, b"29.99", b'"' + price + b'"')
        assert rules(landing, ORDER_ITEMS) == ["UNPARSEABLE_PRICE", "", ""]

    def test_a_negative_price_is_typed_and_left_to_the_rules(self, landing):
        edit(landing, ITEMS, b"29.99", b"-1")
        assert rules(landing, ORDER_ITEMS) == ["", "", ""]

    @pytest.mark.parametrize(
        "moment",
        [
            b"2017-02-30 10:56:33",
            b"02/10/2017 10:56",
            b"2017-10-02 25:00:00",
            b"2017-10-02 10:56:60",
            b"2017-10-02 10:56",
            b"2017-10-02T10:56:33",
            b"2017-10-02 10:56:33Z",
            b"+017-10-02 10:56:33",
            b"0000-10-02 10:56:33",
            b"2017-1-02 10:56:033",
            b"2017-02-30",
            b"infinity",
        ],
    )
    def test_a_date_that_is_none(self, landing, moment):
        edit(landing, ORDERS_FILE, b"2017-10-10 21:25:13", moment)
        assert rules(landing, ORDERS) == ["UNPARSEABLE_ORDER_DELIVERED_CUSTOMER_DATE", ""]

    def test_an_id_is_no_longer_than_an_index_takes(self, landing):
        for length, expected in ((1000, []), (1001, ["UNPARSEABLE_CUSTOMER_ID"])):
            edit(landing, ORDERS_FILE, b"o1,c", b"o1," + b"c" * (length - 2) + b"c")
            assert list(filter(None, rules(landing, ORDERS))) == expected
            edit(landing, ORDERS_FILE, b"c" * (length - 1), b"c")

    def test_a_date_without_a_time_is_its_midnight(self, landing):
        edit(landing, ORDERS_FILE, b"2017-10-10 21:25:13", b"2017-10-11")
        rows = ingest(ORDERS, landing, MONTHS)
        assert rows["rules"].to_list() == ["", ""]
        assert rows["order_delivered_customer_date"][0] == datetime(2017, 10, 11)

    @pytest.mark.parametrize(
        ("table", "old", "new"),
        [
            (ORDER_ITEMS, b"o1,1,p1", b"o1,1.0,p1"),
            (ORDER_ITEMS, b"29.99", b"29.9900"),
            (ORDERS, b"2017-10-10 21:25:13", b"2017-10-10 21:25:13.000"),
        ],
        ids=["a whole number as pandas writes it beside a missing one", "decimal(18, 4)", "milliseconds"],
    )
    def test_the_same_value_may_be_written_with_zeros_behind_it(self, landing, table, old, new):
        parents = ingest(ORDERS, landing, MONTHS) if table.parent else None
        plain = ingest(table, landing, MONTHS, parents)
        edit(landing, table.file, old, new)
        assert ingest(table, landing, MONTHS, parents).equals(plain)

    @pytest.mark.parametrize(
        ("table", "old", "new", "code"),
        [
            (ORDER_ITEMS, b"o1,1,p1", b"o1,1.5,p1", "UNPARSEABLE_ORDER_ITEM_ID"),
            (ORDER_ITEMS, b"o1,1,p1", b"o1,.0,p1", "UNPARSEABLE_ORDER_ITEM_ID"),
            (ORDER_ITEMS, b"o1,1,p1", b"o1,1.,p1", "UNPARSEABLE_ORDER_ITEM_ID"),
            (ORDER_ITEMS, b"29.99", b"29.9901", "UNPARSEABLE_PRICE"),
            (ORDERS, b"21:25:13", b"21:25:13.001", "UNPARSEABLE_ORDER_DELIVERED_CUSTOMER_DATE"),
            (ORDERS, b"21:25:13", b"21:25:13.", "UNPARSEABLE_ORDER_DELIVERED_CUSTOMER_DATE"),
        ],
    )
    def test_what_would_be_cut_off_is_no_value(self, landing, table, old, new, code):
        edit(landing, table.file, old, new)
        assert rules(landing, table)[0] == code

    def test_the_offending_text_is_kept_whole(self, landing):
        edit(landing, ITEMS, b"29.99", b"abc")
        orders = ingest(ORDERS, landing, MONTHS)
        [row] = ingest(ORDER_ITEMS, landing, MONTHS, orders).filter(~IS_VALID).to_dicts()
        assert row["source_row"] == 1
        assert row["order_month"] == date(2017, 10, 1)
        assert json.loads(row["payload"]) == {
            "order_id": "o1",
            "order_item_id": "1",
            "product_id": "p1",
            "seller_id": "s1",
            "shipping_limit_date": "2017-10-06 11:07:15",
            "price": "abc",
            "freight_value": "8.72",
        }

    @pytest.mark.parametrize("empty", [b"", b'""'])
    def test_a_required_cell_that_is_empty(self, landing, empty):
        edit(landing, ORDERS_FILE, b"o1,c1", b"o1," + empty)
        assert rules(landing, ORDERS) == ["MISSING_CUSTOMER_ID", ""]

    def test_all_broken_rules_are_reported(self, landing):
        edit(landing, ITEMS, b"o1,1,p1,s1,2017-10-06 11:07:15,29.99", b"o1,x,,s1,2017-10-06 11:07:15,abc")
        [first, *_] = rules(landing, ORDER_ITEMS)
        assert set(first.split(",")) == {"UNPARSEABLE_ORDER_ITEM_ID", "MISSING_PRODUCT_ID", "UNPARSEABLE_PRICE"}

    @pytest.mark.parametrize(
        ("purchase", "code"),
        [
            (b"2015-12-31 23:59:59", "ORDER_MONTH_OUT_OF_RANGE"),
            (b"2019-01-01 00:00:00", "ORDER_MONTH_OUT_OF_RANGE"),
            (b"2017", "UNPARSEABLE_ORDER_PURCHASE_TIMESTAMP"),
        ],
    )
    def test_a_purchase_outside_all_partitions(self, landing, purchase, code):
        edit(landing, ORDERS_FILE, b"2017-10-02 10:56:33", purchase)
        assert rules(landing, ORDERS) == [code, ""]


class TestBadRecords:
    def test_a_record_with_too_many_cells(self, landing):
        edit(landing, ITEMS, b"29.99,8.72", b"29,99,8.72")
        assert rules(landing, ORDER_ITEMS) == ["", "", "MALFORMED_ROW"]
        assert rules(landing, ORDERS) == ["", ""]

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("step", [1, -1])
    def test_a_header_within_files_that_were_joined(self, landing, mark, step):
        """Whatever the order of their columns: the mark stands before the first one of the file."""
        path = landing / ITEMS
        header, *records = (line.split(b",")[::step] for line in path.read_bytes().replace(b'"', b"").split(b"\n")[:-1])
        content = b"".join(b",".join(line) + b"\n" for line in [header, *records])
        path.write_bytes(content + mark + b",".join(header) + b"\n")
        *others, last = rules(landing, ORDER_ITEMS)
        assert set(others) == {""}
        assert "REPEATED_HEADER" in last.split(",")

    def test_a_malformed_record_keeps_its_place_and_text(self, landing):
        edit(landing, ITEMS, b"29.99,8.72", b"29,99,8.72")
        rows = ingest(ORDER_ITEMS, landing, MONTHS, ingest(ORDERS, landing, MONTHS))
        [row] = rows.filter(~IS_VALID).to_dicts()
        assert row["source_row"] == 1
        assert (row["order_id"], row["order_month"]) == ("o1", date(2017, 10, 1)), "its order is not complete"
        assert json.loads(row["payload"]) == {"text": "o1,1,p1,s1,2017-10-06 11:07:15,29,99,8.72"}
        assert sorted(rows["source_row"]) == [1, 2, 3]

    @pytest.mark.parametrize("lost", [1, 2, 4, 9, 15, 19])
    def test_a_truncated_last_line_is_never_taken_for_a_whole_one(self, landing, lost):
        for table in (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS):
            path = landing / table.file
            path.write_bytes(path.read_bytes().rstrip(b"\n")[:-lost])
        for table in (ORDERS, ORDER_ITEMS, ORDER_PAYMENTS):
            *others, last = rules(landing, table)
            assert last, table.name
            assert set(others) <= {"", "PARENT_REJECTED"}

    def test_a_number_without_a_line_end_may_be_half_a_number(self, landing):
        path = landing / ITEMS
        path.write_bytes(path.read_bytes().rstrip(b"\n"))
        assert rules(landing, ORDER_ITEMS) == ["", "", "TRUNCATED_ROW"]

    def test_a_part_of_a_second_without_a_line_end_may_be_a_part_of_it(self, landing):
        path = landing / ORDERS_FILE
        path.write_bytes(path.read_bytes().rstrip(b"\n") + b".00")
        assert rules(landing, ORDERS) == ["", "TRUNCATED_ROW"]

    def test_a_date_without_a_line_end_is_whole_or_no_date(self, landing):
        path = landing / ORDERS_FILE
        path.write_bytes(path.read_bytes().rstrip(b"\n"))
        assert rules(landing, ORDERS) == ["", ""]


REVIEWS = """review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,\
review_answer_timestamp
r1,o1,5,,"good, and
quick",2017-10-12 00:00:00,2017-10-13 00:00:00
r2,o2,4,,,,
"""


class TestOptionalLastCells:
    """Reviews and products may lack their last cell: a short record must not pass for one that does."""

    def write(self, landing, text):
        (landing / ORDER_REVIEWS.file).write_text(text)
        return rules(landing, ORDER_REVIEWS)

    def test_a_record_whose_last_cells_are_empty_is_whole(self, landing):
        assert self.write(landing, REVIEWS) == ["", ""]

    @pytest.mark.parametrize("short", ["r2,o2,4,,,\n", "r2,o2,4\n", "r2,o2\n"])
    def test_a_record_that_ends_early_is_malformed(self, landing, short):
        assert self.write(landing, REVIEWS.replace("r2,o2,4,,,,\n", short)) == ["", "MALFORMED_ROW"]

    def test_an_empty_last_cell_without_a_line_end_may_have_lost_its_text(self, landing):
        assert self.write(landing, REVIEWS.removesuffix("\n")) == ["", "TRUNCATED_ROW"]

    def test_a_cut_last_date_is_no_date(self, landing):
        cut = REVIEWS.replace("r2,o2,4,,,,\n", "r2,o2,4,,,,2017-10-1")
        assert self.write(landing, cut) == ["", "UNPARSEABLE_REVIEW_ANSWER_TIMESTAMP"]


class TestKeysAndParents:
    def test_rows_that_share_a_key_are_all_rejected(self, landing):
        edit(landing, ORDERS_FILE, b"o2,c2", b"o1,c2")
        assert rules(landing, ORDERS) == ["DUPLICATE_KEY", "DUPLICATE_KEY"]

    def test_parts_of_a_rejected_order_are_told_apart_from_orphans(self, landing):
        edit(landing, ORDERS_FILE, b"o2,c2", b"o1,c2")
        assert rules(landing, ORDER_ITEMS) == ["PARENT_REJECTED", "ORPHAN_ORDER_ITEMS", "ORPHAN_ORDER_ITEMS"]
        assert rules(landing, ORDER_PAYMENTS) == ["PARENT_REJECTED", "PARENT_REJECTED", "ORPHAN_ORDER_PAYMENTS"]

    def test_an_item_of_an_unknown_order(self, landing):
        edit(landing, ITEMS, b"o2,2", b"o9,2")
        assert rules(landing, ORDER_ITEMS) == ["", "", "ORPHAN_ORDER_ITEMS"]

    def test_a_missing_order_id_is_no_orphan(self, landing):
        edit(landing, ITEMS, b"o2,2", b",2")
        assert rules(landing, ORDER_ITEMS) == ["", "", "MISSING_ORDER_ID"]

    def test_missing_keys_are_no_duplicates(self, landing):
        edit(landing, ORDERS_FILE, b"o1,c1", b",c1")
        edit(landing, ORDERS_FILE, b"o2,c2", b",c2")
        assert rules(landing, ORDERS) == ["MISSING_ORDER_ID", "MISSING_ORDER_ID"]
