"""What programs write into Parquet, as the text of landing: the same values, or a sentence with row and column."""

from datetime import date, datetime, time
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.landing.parquet_text import write_as_text

LATE, EARLY = datetime(9999, 12, 31, 23, 59, 59), datetime(1, 1, 1)
FAR = 2**30
"""Days that no calendar of Polars reaches: it panics when it is to write them."""


@pytest.fixture
def text(tmp_path):
    """Return what becomes of a column of Arrow, and of others beside it, written with these options."""

    def of(values, kind=None, name="x", **options):
        array = values if isinstance(values, pa.Array) else pa.array(values, kind)
        path, target = tmp_path / "parts" / "1.parquet", tmp_path / "1.csv"
        path.parent.mkdir()
        # A text that has line breaks: rows are no lines.
        before = pa.array(['a\nb\rc,"d"'] * len(array))
        pq.write_table(pa.table([before, array], [f"before {name}", name]), path, **options)
        write_as_text(path, target)
        rows = pl.read_csv(target, infer_schema=False)
        assert rows[f"before {name}"].to_list() == ['a\nb\rc,"d"'] * len(array)
        return rows[name].to_list()

    return of


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([datetime(2018, 1, 2, 3, 4, 5), LATE, EARLY], "us", ["2018-01-02 03:04:05", str(LATE), "0001-01-01 00:00:00"]),
        ([datetime(2018, 1, 2), datetime(2018, 1, 2, 3, 4, 5, 6000)], "ms", ["2018-01-02 00:00:00", "03:04:05.006"]),
        ([2**61, -(2**61)], "ms", ["2305843009213693952 ms since 1970", "-2305843009213693952 ms since 1970"]),
    ],
)
def test_moments_of_any_unit(text, values, kind, expected):
    for found, wanted in zip(text(values, pa.timestamp(kind)), expected, strict=True):
        assert found.endswith(wanted)


def test_moments_of_spark_beyond_nanoseconds_are_whole(text):
    """Spark writes INT96, which Polars cuts at 2262; 9999 is what people write for never."""
    values = [LATE, EARLY, datetime(2018, 1, 2, 3, 4, 5, 678000), None]
    found = text(values, pa.timestamp("us"), use_deprecated_int96_timestamps=True, store_schema=False)
    assert found == [str(LATE), "0001-01-01 00:00:00", "2018-01-02 03:04:05.678000000", None]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([date(2018, 1, 2), date(9999, 12, 31)], pa.date32(), ["2018-01-02", "9999-12-31"]),
        (
            pa.array([FAR, -FAR], pa.int32()).cast(pa.date32()),
            None,
            [f"{FAR} days since 1970", f"{-FAR} days since 1970"],
        ),
        ([time(10, 5, 3, 120000)], pa.time64("us"), ["10:05:03.120"]),
        ([Decimal("129.90"), None, Decimal(10) ** 47], pa.decimal256(50, 2), ["129.90", None, f"1{'0' * 47}.00"]),
        ([Decimal("-1e-40")], pa.decimal256(76, 40), [f"-0.{'0' * 39}1"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), None, ["a", "b", "a"]),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}'])), None, ['{"a": 1}']),
    ],
)
def test_other_kinds(text, values, kind, expected):
    assert text(values, kind) == expected


LONGEST = "x" * 131_072


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["a", "b\0"], "has a NUL byte in x of row 2; text holds none"),
        (pa.array(["a", "b\0"]).dictionary_encode(), "has a NUL byte in x of row 2; text holds none"),
        (["a", "a", LONGEST + "x"], "has a text of more than 131,072 bytes in x of row 3"),
        (["a", LONGEST[3:] + '\n"'], "has a text of more than 131,072 bytes in x of row 2"),
        ([b"x"], "has Binary in x, which no cell can say"),
        (pa.array([[1]]), r"has List\(Int64\) in x, which no cell can say"),
        (pa.array([1], pa.duration("s")), r"has Duration\(.*\) in x, which no cell can say"),
        (pa.array([1], pa.timestamp("us", "UTC")), "has moments with a time zone in x"),
        (pa.array([None, 86_400 * 10**6]).view(pa.time64("us")), "has times of 24 hours or more in x"),
    ],
)
def test_what_no_cell_can_say_is_one_sentence(text, values, words):
    with pytest.raises(OlistError, match=f"^parts/1.parquet {words}") as said:
        text(values)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("kind", ["INTERVAL", "BLOB", "UUID", "INT[]", "STRUCT(a INT)", "MAP(INT, INT)", "TIMESTAMPTZ"])
def test_what_no_cell_can_say_is_left_out_where_nobody_wants_it(tmp_path, kind):
    """A geometry, tags, or when a row was loaded: beside what landing is read for."""
    path, target = tmp_path / "1.parquet", tmp_path / "1.csv"
    duckdb.execute(f"COPY (SELECT 'v' AS a, NULL::{kind} AS x, 1 AS y) TO '{path}'")
    write_as_text(path, target, ["a", "b"])
    assert target.read_text("utf-8") == "a,y\nv,1\n"
    for wanted in (["x"], None):
        with pytest.raises(OlistError, match=r"has (.*|moments with a time zone) in x"):
            write_as_text(path, target, wanted)


def test_the_longest_text(text):
    assert text([LONGEST, LONGEST[5:] + '"\n']) == [LONGEST, LONGEST[5:] + '"\n']


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\rb", "a\0b"])
def test_names_that_no_header_has(text, name):
    with pytest.raises(OlistError, match=r"^parts/1.parquet has a column that is called '.*'; give it a name") as said:
        text(["a"], name=name)
    assert "\n" not in str(said.value)


def test_rows_without_columns(tmp_path):
    pq.write_table(pa.table({}), tmp_path / "1.parquet")
    with pytest.raises(OlistError, match="has no columns"):
        write_as_text(tmp_path / "1.parquet", tmp_path / "1.csv")


def test_a_page_that_is_not_that_of_its_checksum_is_refused(tmp_path):
    """Spark and Hive write checksums; another digit of an amount is read like the right one."""
    path = tmp_path / "1.parquet"
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.table({"x": ["129.90"]}), path, write_page_checksum=True, **plain)
    path.write_bytes(path.read_bytes().replace(b"129.90", b"729.90", 1))
    with pytest.raises(OlistError, match=r"1.parquet cannot be read: .*CRC checksum verification failed.*; write it"):
        write_as_text(path, tmp_path / "1.csv")
