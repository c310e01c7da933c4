"""Files and folders: which files are the parts of a table, and what is no table."""

from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from olist_pipeline.tablediff.contract import RelationError
from olist_pipeline.tablediff.files import file_relation, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.parquet", "Parquet"),
        ("a.PQ", "Parquet"),
        ("a.csv", "CSV"),
        ("a.csv.gz", "compressed CSV"),
        ("a.TSV", "TSV"),
        ("a.tsv.GZ", "compressed TSV"),
        ("a.parquet.gz", None),
        ("csv", None),
        ("a.txt", None),
    ],
)
def test_the_ending_tells_the_kind(name, kind):
    assert kind_of(name) == kind


@pytest.fixture
def read(tmp_path):
    """Write files below a folder, and return the rows that are read of it and whether its columns have no types."""

    def read(files, source="parts"):
        (tmp_path / "scratch").mkdir()
        with duckdb.connect(config={"threads": 1}) as con:
            for name, content in files.items():
                path = tmp_path / "parts" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, str) and name.endswith((".parquet", ".pq")):
                    con.sql(content).write_parquet(str(path))
                else:
                    path.write_bytes(content.encode() if isinstance(content, str) else content)
            relation, untyped = file_relation(con, tmp_path / source, source, "t", {}, tmp_path / "scratch")
            return con.execute(f"FROM {relation} ORDER BY ALL").fetchall(), untyped

    return read


def test_every_file_below_a_folder_counts_but_hidden_ones(read):
    files = {
        "2.csv": "id\n2\n",
        "a=1/1.csv": "id\n1\n",
        "b/c/3.CSV": "id\n3\n",
        "_SUCCESS": "",
        ".hidden.csv": "id\n9\n",
        "1.csv.crc": "x",
        "_tmp/9.csv": "id\n9\n",
        ".tmp/9.csv": "id\n9\n",
    }
    assert read(files) == ([("1",), ("2",), ("3",)], True)


def test_parquet_files_have_types_and_a_folder_is_no_column(read):
    assert read({"a=1/1.parquet": "SELECT 1 AS id", "a=2/2.pq": "SELECT 2 AS id"}) == ([(1,), (2,)], False)


def test_one_file_is_a_table(read):
    assert read({"1.csv": "id\n1\n", "2.csv": "id\n2\n"}, "parts/2.csv") == ([("2",)], True)


def test_a_folder_with_the_ending_of_a_file_is_a_folder(read):
    assert read({"x.parquet/1.csv": "id\n1\n"}, "parts/x.parquet") == ([("1",)], True)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"_SUCCESS": ""}, "There is no file in the folder 'parts'; give one with Parquet, CSV or TSV files."),
        (
            {"1.csv": "id\n", "n.txt": ""},
            "The folder 'parts' holds parts/n.txt, which is called like no Parquet, CSV or TSV file;",
        ),
        (
            {"1.csv": "id\n", "2.csv": "id\n", "3.tsv": "id\n"},
            "holds files of two kinds, CSV (parts/1.csv) and TSV (parts/3.tsv); keep",
        ),
        (
            {"1.csv": "id\n", "2.tsv": "id\n", "3.csv.gz": ""},
            "holds files of two kinds, CSV (parts/1.csv) and TSV (parts/2.tsv); keep",
        ),
        ({"a/_delta_log/0.json": "", "1.parquet": "SELECT 1 AS id"}, "is a table of Delta Lake, whose log says"),
        ({".hoodie/0.json": "", "1.parquet": "SELECT 1 AS id"}, "is a table of Hudi, whose log says"),
        (
            {"_temporary/0/1.csv": "id\n", "1.csv": "id\n"},
            "_temporary, into which a program is still writing parts; wait",
        ),
        ({"1.parquet": b"id\n1\n"}, "parts/1.parquet cannot be read as Parquet: it is no Parquet file; give it the"),
        ({"1.parquet": b"PAR1, of which nothing follows"}, "as Parquet: its end is missing; fetch it again."),
        ({"1.parquet": b"PARE and so on, to PARE"}, "as Parquet: it is encrypted; write it without a key."),
        ({"2.parquet": b"PAR1"}, "; write it again."),
        (
            {"1.parquet": "SELECT 1 AS id, 2 AS v", "2.parquet": "SELECT 1 AS id, 'x' AS v"},
            "2.parquet has 2 columns and parts/1.parquet has 2, the first that differ being v VARCHAR and v INTEGER;",
        ),
        (
            {"1.parquet": "SELECT 1 AS id, 2 AS u, 3 AS v, 4 AS w", "2.parquet": "SELECT 1 AS id, 2 AS u, 3 AS v"},
            "2.parquet has 3 columns and parts/1.parquet has 4, the first that differ being v INTEGER and w INTEGER;",
        ),
        (
            {"1.parquet": "SELECT 1 AS a, 2 AS b, 3 AS c", "2.parquet": "SELECT 1 AS a, 2 AS c, 3 AS b"},
            "the first that differ being c INTEGER and b INTEGER;",
        ),
        (
            {"1.parquet": "SELECT 1 AS a, 2 AS c, 3 AS b", "2.parquet": "SELECT 1 AS a, 2 AS b, 3 AS c"},
            "the first that differ being b INTEGER and c INTEGER;",
        ),
    ],
)
def test_what_is_no_table_is_refused(read, files, why):
    with pytest.raises(RelationError) as refusal:
        read(files)
    assert why in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("nowhere.csv", "There is no file 'nowhere.csv'."),
        ("a\\b[1].csv", r"The path 'a\b[1].csv' has both a backslash and one of [ * ?, which no reader takes"),
        ("a\\b?.csv", "has both a backslash"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused(tmp_path, source, why):
    if "\\" in source:
        (tmp_path / source).write_text("id\n1\n")
    with duckdb.connect() as con, pytest.raises(RelationError) as refusal:
        file_relation(con, tmp_path / source, source, "t", {}, tmp_path)
    assert why in str(refusal.value)


@pytest.mark.parametrize("name", ["a\\b.csv", "a[1].csv", "a*?.csv"])
def test_a_path_with_one_of_these_is_read(tmp_path, name):
    (tmp_path / name).write_text("id\n1\n")
    with duckdb.connect(config={"threads": 1}) as con:
        relation, _ = file_relation(con, tmp_path / name, name, "t", {}, tmp_path)
        assert con.execute(f"FROM {relation}").fetchall() == [("1",)]


def test_a_path_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "a\udce9.csv"
    path.write_text("id\n1\n")
    with duckdb.connect() as con, pytest.raises(RelationError, match="is not UTF-8; rename the file or its folder"):
        file_relation(con, path, path.name, "t", {}, tmp_path)


@pytest.mark.parametrize("nested", [False, True])
def test_decimals_that_would_be_rounded_are_refused(tmp_path, nested):
    """DuckDB reads decimals of more digits than it has as floats, of which two that differ may be equal."""
    array = pa.array([Decimal("1234567890123456789012345678901234567.1")], pa.decimal256(39, 1))
    column = pa.StructArray.from_arrays([array], ["amount"]) if nested else array
    pq.write_table(pa.table([column], ["amount"]), tmp_path / "a.parquet")
    with duckdb.connect() as con, pytest.raises(RelationError, match=r"^a has decimals of 39 digits in amount, which"):
        file_relation(con, tmp_path / "a.parquet", "a", "t", {}, tmp_path)


@pytest.mark.parametrize("names", [["Name", "name"], ["n", "n"]])
def test_columns_that_sql_takes_for_one_are_refused(tmp_path, names):
    """DuckDB calls one of them `name_1`, by which no option and no other file would know it."""
    inside = pa.array([{"a": 1, "A": [2]}])  # names inside of a column are nobody's twins
    pq.write_table(pa.table([pa.array([1]), inside, pa.array([2])], [names[0], "s", names[1]]), tmp_path / "a.parquet")
    words = f"^a has the columns {names[0]} and {names[1]}, which SQL takes for one; give each a name of its own"
    with duckdb.connect() as con, pytest.raises(RelationError, match=words):
        file_relation(con, tmp_path / "a.parquet", "a", "t", {}, tmp_path)


def test_names_inside_of_columns_are_no_twins(read):
    [row], _ = read(
        {"a.parquet": "SELECT 1 AS x, {'x': 2, 'y': [{'y': 3}]} AS s, MAP {'x': 4} AS y"}, "parts/a.parquet"
    )
    assert row == (1, {"x": 2, "y": [{"y": 3}]}, {"x": 4})


def test_a_page_that_is_not_that_of_its_checksum_is_refused(tmp_path):
    """Spark and Hive write checksums; another digit of an amount is read like the right one."""
    path = tmp_path / "a.parquet"
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.table({"x": ["129.90"]}), path, write_page_checksum=True, **plain)
    path.write_bytes(path.read_bytes().replace(b"129.90", b"729.90", 1))
    with duckdb.connect() as con, pytest.raises(RelationError, match=r"^a cannot be read: .*CRC checksum .*; write it"):
        file_relation(con, path, "a", "t", {}, tmp_path)


def test_a_missing_array_of_duckdb_is_read(read):
    """Arrow takes what DuckDB writes for it to be inconsistent."""
    assert read({"a.parquet": "SELECT NULL::FLOAT[2] AS x"}, "parts/a.parquet") == ([(None,)], False)


def test_damage_beside_a_missing_array_of_duckdb_is_seen(tmp_path):
    path = tmp_path / "a.parquet"
    query = "SELECT NULL::FLOAT[2] AS a, md5(i::VARCHAR) AS x FROM range(100) t(i)"
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    pages = pq.read_metadata(path).row_group(0).column(1)
    assert pages.path_in_schema == "x"
    written, middle = bytearray(path.read_bytes()), pages.data_page_offset + pages.total_compressed_size // 2
    written[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(written)
    with duckdb.connect() as con, pytest.raises(RelationError, match=r"^a cannot be read: .*; write it again"):
        file_relation(con, path, "a", "t", {}, tmp_path)
