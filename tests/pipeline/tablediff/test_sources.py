"""Two relations without a project around them: files and tables of database files."""

import gzip
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.tablediff.contract import RelationError, Tolerance
from olist_pipeline.tablediff.csv_file import parse_options
from olist_pipeline.tablediff.sources import compare_sources
from tests.pipeline.tablediff.tables import batches, contract


@pytest.fixture
def folder(tmp_path):
    with duckdb.connect(str(tmp_path / "it's.duckdb")) as con:
        con.execute('CREATE SCHEMA "old schema"; CREATE TABLE t AS SELECT i AS id, i / 4 AS v FROM range(8) AS r(i)')
        con.execute('CREATE TABLE "old schema".t AS SELECT id, v + (id = 3)::INTEGER * 0.01::DOUBLE AS v FROM t')
        (tmp_path / "parts" / "deep").mkdir(parents=True)
        con.execute(f"COPY t TO '{tmp_path / 't.parquet'}'")
        con.execute(f"COPY (FROM t WHERE id < 4) TO '{tmp_path / 'parts' / '1.parquet'}'")
        con.execute(f"COPY (FROM t WHERE id >= 4) TO '{tmp_path / 'parts' / 'deep' / '2.parquet'}'")
        con.execute(f"COPY t TO '{tmp_path / 't.csv'}'")
        con.execute(f"COPY (SELECT id, v + 0.001 AS v FROM t) TO '{tmp_path / 'near.csv.gz'}'")
    return tmp_path


def test_files_folders_and_tables_are_compared(folder):
    database = folder / "it's.duckdb"

    for source in (folder / "t.parquet", folder / "parts", folder / "t.csv", f"{database}:t", f"{database}:main.t"):
        assert compare_sources(str(source), str(folder / "t.parquet"), contract()).identical
    found = compare_sources(f"{database}:old schema.t", f"{database}:t", contract())
    assert [sample.key for sample in found.unequal_samples] == [{"id": "3"}]


def test_csv_columns_are_text_but_for_those_with_a_tolerance(folder):
    csv, near = str(folder / "t.csv"), str(folder / "near.csv.gz")

    [column] = compare_sources(csv, csv, contract()).columns
    assert (column.old_type, column.new_type) == ("VARCHAR", "VARCHAR")
    assert compare_sources(csv, near, contract()).unequal == 8
    assert compare_sources(csv, near, contract(tolerances={"v": Tolerance("0.001")})).identical


def test_a_csv_cell_keeps_zeros_blanks_and_the_empty_text(tmp_path):
    (tmp_path / "a.csv").write_text('id,v\n1,007\n2,""\n3,x \n4,\n')
    (tmp_path / "b.csv").write_text("id,v\n1,7\n2,\n3,x\n4,\n")

    found = compare_sources(str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), contract())

    assert [(c.old, c.new) for c in found.columns[0].changes] == [("", None), ("007", "7"), ("x ", "x")]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("nowhere.parquet", "There is no file"),
        ("nowhere.csv", "There is no file"),
        ("nowhere.duckdb:t", "There is no database file"),
        ("t.xlsx", "Cannot tell what"),
        ("it's.duckdb:none.t", "There is no table none.t"),
        ("it's.duckdb:broken", "^Cannot read .*it's.duckdb:broken: Catalog Error"),
        ("empty", "There is no file in the folder"),
        ("t.parquet.db:t", "Cannot open"),
        ("lite.db:t", "lite.db' is a SQLite database; export the table as CSV"),
    ],
)
def test_a_source_that_cannot_be_read_is_said_in_one_sentence(folder, source, why):
    (folder / "empty").mkdir()
    with duckdb.connect(str(folder / "it's.duckdb")) as con:
        con.execute("CREATE TABLE gone AS SELECT 1 AS id; CREATE VIEW broken AS FROM gone; DROP TABLE gone")
    (folder / "t.parquet.db").write_bytes(b"no database" * 1000)
    with closing(sqlite3.connect(folder / "lite.db")) as lite:
        lite.execute("CREATE TABLE t (id INTEGER)")

    with pytest.raises(RelationError, match=why) as refusal:
        compare_sources(str(folder / source), str(folder / "t.parquet"), contract())

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("address", ["postgresql://me:secret@host/db:t", "https://me:secret@host/t.csv"])
def test_an_address_is_refused_without_its_password(folder, address):
    with pytest.raises(RelationError, match=r"The address of new is no file: write .* \(FORMAT csv") as refusal:
        compare_sources(str(folder / "t.parquet"), address, contract())
    assert "secret" not in str(refusal.value)


def test_what_to_do_about_a_database_that_is_encrypted(folder):
    with duckdb.connect() as con:
        con.execute("SET force_mbedtls_unsafe = 'true'")
        con.execute(f"ATTACH '{folder / 'key.duckdb'}' AS k (ENCRYPTION_KEY 'k'); CREATE TABLE k.t AS SELECT 1 AS id")
    with pytest.raises(RelationError, match=r"without a key; compare a copy that is not encrypted\.$"):
        compare_sources(f"{folder / 'key.duckdb'}:t", str(folder / "t.parquet"), contract())


@pytest.mark.long
def test_what_to_do_about_a_database_that_is_open_elsewhere(folder):
    why = r"Conflicting lock .*; close it there, or compare a copy of the file\.$"
    held = f"import duckdb; c = duckdb.connect({str(folder / 'held.duckdb')!r}); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(RelationError, match=why):
            compare_sources(f"{folder / 'held.duckdb'}:t", str(folder / "t.parquet"), contract())
        other.communicate(b"\n")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def parquet(path, select):
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS " + select)
        # A relation writes to a path as it is.
        con.sql("FROM t").write_parquet(str(path))
    return str(path)


def test_a_row_that_begins_like_a_comment_is_a_row(tmp_path):
    old, new = (write(tmp_path / f"{v}.csv", f"id,v\n1,a\n#2,{v}\n3,c\n") for v in ("b", "CHANGED"))

    found = compare_sources(old, new, contract())

    assert (found.identical, found.equal, found.unequal) == (False, 2, 1)
    assert [sample.unequal for sample in found.unequal_samples] == [("v",)]


LATE = "".join(f"{i},x\n" for i in range(21_000))


@pytest.mark.parametrize(
    ("old", "new", "rows", "unequal"),
    [
        ("id\n1;2\n", "id\n1;2\n", 1, 0),
        ("id,v\n1,it's\n2,'x'\n", "id,v\n1,it's\n2,x\n", 2, 1),
        (f'id,v\n{LATE}21000,"a,""b"""\n', f'id,v\n{LATE}21000,"a,""c"""\n', 21_001, 1),
        ("id,v\n1,a", "\ufeffid,v\r\n1,a\r\n", 1, 0),
        ("id,v\n1,a\n\n2,b\n\n", "id,v\n1,a\n2,B\n", 2, 1),
        ("id,v\n", "id,v\n", 0, 0),
        ("id,v\n1, a\n", "id,v\n1,a\n", 1, 1),
        ('id,v\n1,"x\ny"\n', 'id,v\n1,"x y"\n', 1, 1),
        ("id,v\n1,NULL\n", "id,v\n1,\n", 1, 1),
        ('id,"a;b"\n1,x\n', 'id,"a;b"\n1,x\n', 1, 0),
    ],
)
def test_nothing_of_a_csv_file_is_guessed(tmp_path, old, new, rows, unequal):
    found = compare_sources(write(tmp_path / "old.csv", old), write(tmp_path / "new.csv", new), contract())

    assert (found.rows_old, found.rows_new, found.unequal) == (rows, rows, unequal)
    assert found.identical == (not unequal)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,v\n1,a\n2,b\nid,v,w\n1,a,x\n", "line 4 has 3 cells and the header 2"),
        ("id,v\n1,a\n2\n3,c\n", "line 3 has 1 cell and the header 2"),
        (b"id,v\n1,\xe3\n", r"old.csv is not UTF-8: byte 0xE3 in line 2; .*iconv -f ISO-8859-1.*encoding=latin-1"),
        (b"id,v\n1,\x93a\x94\n", "line 2; .*WINDOWS-1252.*encoding=windows-1252"),
        ('id;v\n1;"a,b"\n', "by ';'; .*, or name its delimiter: --dialect delimiter=semicolon"),
        (b"id,v\n1,a\0\n", "NUL byte in line 2"),
        ('id,v\n1,a"b"\n', "quote within a cell.* in line 2; .*quote=none"),
        ('id,v\n1,"a\n', "quote that never closes in line 2"),
        ("", "is empty"),
        ("id,v,v\n1,a,b\n", "column v more than once"),
        ("id,v,V\n1,a,b\n", "more than once"),
        ("id,,v\n1,a,b\n", "no name for column 2"),
        ("id,v\n1,a\r\n2,b\n", "line end unlike"),
        (b"\x1f\x8bx", "is compressed with gzip"),
    ],
)
def test_a_csv_file_that_leaves_its_dialect_is_refused_with_the_line(tmp_path, text, why):
    old, new = write(tmp_path / "old.csv", text), write(tmp_path / "new.csv", "id,v\n1,a\n")

    with pytest.raises(RelationError, match=why) as refusal:
        compare_sources(old, new, contract())

    assert "\n" not in str(refusal.value)
    assert "SELECT" not in str(refusal.value)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("delimiter=; quote='", "id;v\n1;'a;b'\n"),
        ("delimiter=tab", "id\tv\n1\ta;b\n"),
        ("delimiter=pipe encoding=latin-1", "id|v\n1|a;b\n"),
        ("encoding=utf-16", "id,v\n1,a;b\n".encode("utf-16")),
        ("quote=none delimiter=|", "id|v\n1|a;b\n"),
    ],
)
def test_a_dialect_of_ones_own_is_read(tmp_path, dialect, text):
    old = write(tmp_path / "old.csv", text)
    new = parquet(tmp_path / "new.parquet", "SELECT 1 AS id, 'a;b' AS v")

    assert compare_sources(old, new, contract(), options=parse_options(dialect)).identical


@pytest.mark.parametrize(
    "dialect",
    ["delimiter", "comment=#", "encoding=klingon", "encoding=base64", "encoding=rot13", "delimiter=ab", "quote=,"],
)
def test_a_dialect_that_nobody_can_read_is_said_in_one_sentence(dialect):
    with pytest.raises(OlistError, match=r"says nothing|no encoding|cannot be read"):
        parse_options(dialect)


def test_a_tsv_file_has_tabs_and_a_packed_one_is_unpacked(tmp_path):
    plain = write(tmp_path / "a.TSV", "id\tv\n1\ta,b\n")
    packed = write(tmp_path / "a.csv.GZ", gzip.compress(b'id,v\n1,"a,b"\n'))

    assert compare_sources(plain, packed, contract()).identical
    cut = write(tmp_path / "cut.csv.gz", gzip.compress(b"id,v\n" * 99)[:-9])
    with pytest.raises(RelationError, match="not to its end"):
        compare_sources(plain, cut, contract())


TYPED = "SELECT * FROM (VALUES (1, 1.10::DECIMAL(9,2), true, DATE '2018-01-02', TIMESTAMP '2018-01-02 03:04:05',"
TYPED += " 0.1::DOUBLE, TIME '01:02:03', TIMESTAMPTZ '2018-01-02 03:04:05+00', 'x'),"
TYPED += (
    " (2, NULL, NULL, NULL, NULL, 'nan', NULL, NULL, '')) AS t(id, price, paid, day, moment, share, clock, zoned, text)"
)
CELLS = (
    "id,price,paid,day,moment,share,clock,zoned,text\n"
    "1,1.1,True,2018-01-02,2018-01-02T03:04:05.000,0.10000000000000001,01:02:03.0,2018-01-02 04:04:05+01,x\n"
    '2,,,,,NaN,,,""\n'
)


def test_csv_and_parquet_of_the_same_data_are_identical(tmp_path):
    typed = parquet(tmp_path / "typed.parquet", TYPED)

    found = compare_sources(write(tmp_path / "text.csv", CELLS), typed, contract())

    assert found.identical, found.sentences()
    assert found.schema == ()
    other = compare_sources(write(tmp_path / "other.csv", CELLS.replace(",1.1,", ",1.101,")), typed, contract())
    assert [column.column for column in other.differing_columns] == ["price"]
    assert other.unequal_samples[0].unequal == ("price",)


TEXTS_AND_VALUES = [
    ("INTEGER", "7", "007", False),
    ("INTEGER", "7", " 7", False),
    ("INTEGER", "7", "7.0", True),
    ("INTEGER", "7", "7.01", False),
    ("VARCHAR", "'007'", "007", True),
    ("INTEGER", "1500", "1.5e3", True),
    ("BIGINT", "9007199254740993", "9007199254740992", False),
    ("BIGINT", "9007199254740993", "9007199254740993", True),
    ("DOUBLE", "9007199254740992", "9007199254740993", False),
    ("FLOAT", "16777216", "16777217", False),
    ("FLOAT", "0.1", "0.1", True),
    ("DOUBLE", "1e300", "1E+300", True),
    ("DOUBLE", "0", "1e-400", False),
    ("DOUBLE", "'inf'", "1e400", False),
    ("DECIMAL(4,2)", "0.05", ".05", True),
    ("DECIMAL(4,2)", "0.05", "0.054", False),
    ("DECIMAL(38,0)", "0", "-0.00", True),
    ("BOOLEAN", "true", "t", True),
    ("BOOLEAN", "true", "yes", False),
    ("DATE", "'2018-01-02'", "2018-01-02 00:00:00", True),
    ("DATE", "'2018-01-02'", "2018-01-02 00:00:01", False),
    ("DATE", "'2018-01-02'", "2018-1-2", False),
    ("DATE", "'infinity'", "infinity", True),
    ("TIMESTAMP", "'2018-01-02 03:04:05'", "2018-01-02 03:04:05.0000001", False),
    ("TIMESTAMPTZ", "'2018-01-02 03:04:05+00'", "2018-01-02 03:04:05", False),
    ("TIMESTAMPTZ", "'2018-01-02 03:04:05+00'", "2018-01-02T03:04:05Z", True),
    ("TIMESTAMPTZ", "'0001-01-01 12:34:56.789012+00'", "0001-01-01 12:34:56.7890120+00", True),
    ("UUID", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", True),
    ("INTEGER[]", "[1, 2]", '"[1, 2]"', True),
    ("INTEGER[]", "[2]", "[1.5]", False),
]


@pytest.mark.parametrize("cases", batches(TEXTS_AND_VALUES))
def test_a_text_is_a_value_when_it_is_exactly_that(tmp_path, cases):
    names = [f"v{number}" for number in range(len(cases))]
    old = write(tmp_path / "old.csv", f"id,{','.join(names)}\n1,{','.join(text for *_, text, _ in cases)}\n")
    values = ", ".join(f"CAST({value} AS {kind}) AS v{number}" for number, (kind, value, *_) in enumerate(cases))
    new = parquet(tmp_path / "new.parquet", f"SELECT 1 AS id, {values}")

    for sides in ((old, new), (new, old)):
        found = compare_sources(*sides, contract())
        assert found.schema == ()
        equal = [not column.unequal for column in found.columns]
        assert list(zip(cases, equal, strict=True)) == [(case, case[3]) for case in cases]


def test_text_that_is_no_value_compares_as_it_stands_and_is_said(tmp_path):
    old = write(tmp_path / "old.csv", "id,v\n1,1.10\n2,n/a\n")
    new = parquet(tmp_path / "new.parquet", "SELECT * FROM (VALUES (1, 1.1::DECIMAL(9,2)), (2, NULL)) AS t(id, v)")

    found = compare_sources(old, new, contract())

    assert (found.equal, found.unequal) == (1, 1)
    assert "Column v: 1 cell of old cannot be a DECIMAL(9,2), e.g. 'n/a', and compare as text." in found.sentences()


def test_a_tolerance_of_decimal_texts_is_exact(tmp_path):
    old = write(tmp_path / "old.csv", "id,v\n1,0.1\n2,1234567890123456.1\n3,n/a\n")
    new = write(tmp_path / "new.csv", "id,v\n1,0.2\n2,1234567890123456.21\n3,n/a\n")

    found = compare_sources(old, new, contract(tolerances={"v": Tolerance("0.1")}))

    assert [(change.old, change.new) for change in found.columns[0].changes] == [
        ("1234567890123456.1", "1234567890123456.21")
    ]
    assert found.columns[0].largest == pytest.approx(0.11)
    assert any("cannot be a decimal, e.g. 'n/a'" in sentence for sentence in found.sentences())
    assert compare_sources(old, new, contract(tolerances={"v": Tolerance("0.11")})).identical


def test_repeated_keys_with_decimal_texts_are_paired_in_the_order_of_their_numbers(tmp_path):
    old = write(tmp_path / "old.csv", "id,v\n1,9.99\n1,10.2\n")
    new = write(tmp_path / "new.csv", "id,v\n1,10.25\n1,10.05\n")

    assert compare_sources(old, new, contract(tolerances={"v": Tolerance("0.1")})).identical
    assert not compare_sources(old, new, contract(tolerances={"v": Tolerance("0.05")})).identical


def test_equal_cells_of_an_unequal_row_are_not_listed(tmp_path):
    old = parquet(tmp_path / "old.parquet", "SELECT 1 AS id, 1.10::DECIMAL(9,2) AS a, 'x' AS b")
    new = parquet(tmp_path / "new.parquet", "SELECT 1 AS id, 1.1::DECIMAL(9,1) AS a, 'y' AS b")

    assert compare_sources(old, new, contract()).unequal_samples[0].unequal == ("b",)


PATTERNS = {"a[1]": "a1", "[!a]": "b", "a*": "ab", "**": "deep", "a?": "ax", "a{b,c}": "ab"}
"""Names that are patterns, and one that each would find."""


@pytest.mark.parametrize("name", [*PATTERNS, "it's", 'say "x"', "a b", "50%25", "é", "e\u0301", "k=1", "$x`"])
def test_a_path_is_never_a_pattern(tmp_path, name):
    other = PATTERNS.get(name, "other")
    for ending, make in (
        ("csv", lambda path, value: write(path, f"id,v\n1,{value}\n")),
        ("parquet", lambda path, value: parquet(path, f"SELECT '1' AS id, '{value}' AS v")),
    ):
        make(tmp_path / name / f"{name}.{ending}", "right")
        make(tmp_path / other / f"{other}.{ending}", f"of another {ending}")
    csv, folder = tmp_path / name / f"{name}.csv", tmp_path / name
    assert compare_sources(str(csv), str(folder / f"{name}.parquet"), contract()).identical
    plain = write(tmp_path / "plain.csv", csv.read_text())
    csv.unlink()
    assert compare_sources(str(folder), plain, contract()).identical


def test_a_database_under_any_path_and_names_with_dots_are_read(tmp_path):
    file = tmp_path / "a[1]*?.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute('CREATE SCHEMA "my.schema"; CREATE TABLE "my.schema"."t.x" AS SELECT 1 AS id, 2 AS v')
        con.execute('CREATE TABLE "it""s" AS SELECT 1 AS id, 2 AS v')
        con.execute('CREATE SCHEMA raw; CREATE TABLE raw.csv AS FROM "it""s"')

    old = f'{file}:"my.schema"."t.x"'
    assert compare_sources(old, f'{file}:"it""s"', contract()).identical
    assert compare_sources(f"{file}:raw.csv", old, contract()).identical
    with pytest.raises(RelationError, match=r'did you mean \'"my.schema"."t.x"\'\?'):
        compare_sources(f"{file}:my.schema.t.x", old, contract())
    with pytest.raises(RelationError, match="quote"):
        compare_sources(f'{file}:"my.schema', old, contract())


def test_a_table_is_the_one_that_duckdb_calls_so(tmp_path):
    """To DuckDB, case does not matter in ASCII alone."""
    for value in (1, 2):
        with duckdb.connect(str(tmp_path / f"{value}.duckdb")) as con:
            con.execute(f'CREATE TABLE "Ä" AS SELECT 1 AS id; CREATE TABLE "ä" AS SELECT 1 AS id, {value} AS v')
    old, new = (f"{tmp_path / f'{value}.duckdb'}" for value in (1, 2))
    assert not compare_sources(f"{old}:ä", f"{new}:ä", contract()).identical
    assert compare_sources(f"{old}:MAIN.Ä", f"{new}:Ä", contract()).identical
    (tmp_path / "1.duckdb").rename(tmp_path / "1.DDB")
    assert compare_sources(f"{tmp_path / '1.DDB'}:Ä", f"{new}:Ä", contract()).identical


def test_a_folder_of_parts_of_any_kind_is_one_table(tmp_path):
    whole = write(tmp_path / "whole.csv", "id,v\n1,a\n2,b\n")
    for ending, data in ((".csv", "id,v\n{},{}\n"), (".TSV", "id\tv\n{}\t{}\n"), (".csv.gz", "id,v\n{},{}\n")):
        for part, row in (("a=1/1", (1, "a")), ("a=2/2", (2, "b"))):
            text = data.format(*row).encode()
            write(tmp_path / ending / f"{part}{ending}", gzip.compress(text) if ending.endswith("gz") else text)
        for hidden in ("_SUCCESS", ".1.csv.crc", "_metadata/3.csv"):
            write(tmp_path / ending / hidden, "nothing")
        assert compare_sources(str(tmp_path / ending), whole, contract()).identical, ending


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"1.csv": "id,v\n1,a\n", "2.csv": "id,w\n2,b\n"}, "lacks v and has also w"),
        ({"1.csv": "id,v\n1,a\n", "2.csv": "v,id\nb,2\n"}, "another order"),
        ({"1.csv": "id,v\n1,a\n", "2.csv.gz": gzip.compress(b"id,v\n2,b\n")}, "two kinds"),
        ({"1.csv": "id,v\n1,a\n", "notes.txt": "x"}, "is called like no Parquet"),
        ({"1.csv": "id,v\n1,a\n", "2.csv": "id,v\n2\n"}, "2.csv is ragged: line 2"),
        ({"_delta_log/0.json": "{}", "1.parquet": "x"}, "Delta Lake"),
        ({"1.parquet": "x"}, "1.parquet cannot be read as Parquet"),
    ],
)
def test_parts_that_make_no_table_are_refused(tmp_path, parts, why):
    for name, text in parts.items():
        write(tmp_path / "parts" / name, text)

    with pytest.raises(RelationError, match=why):
        compare_sources(str(tmp_path / "parts"), write(tmp_path / "new.csv", "id,v\n1,a\n"), contract())


def test_parquet_parts_of_other_columns_are_refused(tmp_path):
    parquet(tmp_path / "parts" / "1.parquet", "SELECT 1 AS id, 2 AS v")
    parquet(tmp_path / "parts" / "2.parquet", "SELECT 2 AS id, 2 AS v, 3 AS w")

    with pytest.raises(RelationError, match="need the same columns"):
        compare_sources(str(tmp_path / "parts"), str(tmp_path / "parts" / "1.parquet"), contract())


def test_no_part_of_a_folder_is_left_out_in_silence(folder, monkeypatch):
    (folder / "linked").mkdir()
    (folder / "linked" / "1.parquet").symlink_to(folder / "parts" / "1.parquet")
    (folder / "linked" / "deep").symlink_to(folder / "parts" / "deep")
    assert compare_sources(str(folder / "linked"), str(folder / "t.parquet"), contract()).identical

    (folder / "linked" / "again").symlink_to(folder / "linked")
    with pytest.raises(RelationError, match=r"linked' holds .*linked twice, once as .*again; take the link out"):
        compare_sources(str(folder / "linked"), str(folder / "t.parquet"), contract())

    (folder / "linked" / "again").unlink()
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RelationError, match=r"linked' cannot be read: .*deep: Permission denied"):
        compare_sources(str(folder / "linked"), str(folder / "t.parquet"), contract())


@pytest.mark.parametrize("source", ["{long}.csv", "{long}", "parts"])
def test_what_the_system_refuses_to_look_at_is_a_sentence(folder, source):
    """As a name that is too long, so a file in a folder where one has no right to look."""
    (folder / "parts" / "3.parquet").symlink_to("x" * 300)
    with pytest.raises(RelationError, match=r"cannot be read: File name too long \(.*\)\.$"):
        compare_sources(str(folder / source.format(long="x" * 300)), str(folder / "t.csv"), contract())


@pytest.mark.parametrize("where", ["v = 1) OR (true", "true LIMIT 1", "true --", "v = 1;", "(v = 1", " ", ""])
def test_a_condition_is_one_and_nothing_more(tmp_path, where):
    file = parquet(tmp_path / "t.parquet", "SELECT 1 AS id, 1 AS v")
    with pytest.raises(RelationError, match=r"^'.*' is no condition: Parser Error: .*; give what may stand behind"):
        compare_sources(file, file, contract(), where=where)
    assert compare_sources(file, file, contract(), where="v = 1 OR v IN (2, 3) -- or so\n").identical


@pytest.mark.parametrize(
    ("where", "by"),
    [
        ("random() > .5", r"random\(\)"),
        ("v = 1 OR UUID()::VARCHAR > '5'", r"uuid\(\)"),
        ("[1].apply(lambda x: x > main.random()) = [true]", r"random\(\)"),
        ("id IN (SELECT r FROM range(9) t(r) USING SAMPLE 3)", "a sample"),
    ],
)
def test_a_condition_by_chance_is_refused(tmp_path, where, by):
    file = parquet(tmp_path / "t.parquet", "SELECT 1 AS id, 1 AS v")
    with pytest.raises(RelationError, match=rf"holds for other rows each time that it is asked, by {by}; give a condi"):
        compare_sources(file, file, contract(), where=where)


def test_a_moment_is_the_same_for_a_whole_comparison(tmp_path):
    file = parquet(tmp_path / "t.parquet", "SELECT r AS id, 1 AS v FROM range(1000) t(r)")
    where = "epoch_us(now()) % 1000 >= id AND current_date > DATE '2018-01-01' AND now() > TIMESTAMP '2018-01-01'"
    assert compare_sources(file, file, contract(), where=where).identical
    assert compare_sources(file, file, contract(), where="CASE WHEN id < 0 THEN error('no') ELSE true END").identical
