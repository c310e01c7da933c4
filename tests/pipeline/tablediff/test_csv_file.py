"""CSV files: options of a dialect, encodings, compression, and what is wrong with a file."""

import errno
import gzip

import duckdb
import pytest

from olist_pipeline.dialect.dialect import duckdb_relation
from olist_pipeline.tablediff import csv_file
from olist_pipeline.tablediff.contract import RelationError
from olist_pipeline.tablediff.csv_file import dialect_of, load, parse_options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("delimiter=;", {"delimiter": ";"}),
        ("delimiter=semicolon quote=none", {"delimiter": ";", "quote": ""}),
        (r"delimiter=\t encoding=latin-1", {"delimiter": "\t", "encoding": "latin-1"}),
        ("quote='", {"quote": "'"}),
    ],
)
def test_options_are_words_with_a_value(text, options):
    assert parse_options(text) == options


@pytest.mark.parametrize("encoding", ["klingon", "base64", "undefined", "tab"])
def test_what_is_no_encoding_is_refused_by_its_name(encoding):
    with pytest.raises(RelationError, match=f"There is no encoding '{encoding}'"):
        parse_options(f"encoding={encoding}")


@pytest.mark.parametrize("text", ["quote", "width=3", "delimiter=; and"])
def test_another_word_is_refused(text):
    with pytest.raises(RelationError, match=f"'{text.split()[-1]}' says nothing of a dialect"):
        parse_options(text)


def test_an_option_is_said_once():
    with pytest.raises(RelationError, match="names the delimiter more than once; keep one"):
        parse_options("delimiter=; quote=' delimiter=tab")


@pytest.mark.parametrize(
    ("name", "options", "delimiter", "quote"),
    [
        ("a.csv", {}, ",", '"'),
        ("a.TSV", {}, "\t", '"'),
        ("a.tsv.gz", {}, "\t", '"'),
        ("a.csv.gz", {"delimiter": ";"}, ";", '"'),
        ("a.tsv", {"delimiter": ";", "quote": "'"}, ";", "'"),
    ],
)
def test_a_name_tells_the_delimiter_unless_the_options_do(name, options, delimiter, quote):
    dialect = dialect_of(name, options)
    assert (dialect.delimiter, dialect.quote) == (delimiter, quote)


def loaded(folder, options, *files):
    """Return the rows of files, each a name and its bytes, and the names that are left in the scratch folder."""
    scratch = folder / "scratch"
    scratch.mkdir()
    parts = []
    for name, content in files:
        (folder / name).write_bytes(content)
        parts.append((name, folder / name))
    with duckdb.connect(config={"threads": 1}) as con:
        table = load(con, parts, "t", options, scratch)
        return con.execute(f"FROM {table} ORDER BY ALL").fetchall(), [path.name for path in scratch.iterdir()]


TEXT = "id,v\n1,é\n2,ü\n"


@pytest.mark.parametrize(
    ("name", "encoding", "pack"),
    [
        ("a.csv", "utf-8", bytes),
        ("a.csv", "UTF8", bytes),
        ("a.csv", "latin-1", bytes),
        ("a.csv", "utf-16", bytes),
        ("a.csv.gz", "utf-8", gzip.compress),
        ("a.csv.GZ", "latin-1", gzip.compress),
        ("z.csv.gz", "utf-8", gzip.compress),
    ],
)
def test_a_file_is_read_in_its_encoding_and_no_copy_is_left(tmp_path, name, encoding, pack):
    found = loaded(tmp_path, {"encoding": encoding}, (name, pack(TEXT.encode(encoding))))
    assert found == ([("1", "é"), ("2", "ü")], [])
    assert (tmp_path / name).exists()


def test_files_of_one_header_are_one_table(tmp_path):
    rows, _ = loaded(tmp_path, {}, ("1.csv", b"id,v\n1,a\n"), ("2.csv", b"id,v\n2,\n"), ("3.csv", b'id,v\n3,""\n'))
    assert rows == [("1", "a"), ("2", None), ("3", "")]


def test_a_delimiter_that_is_named_is_not_doubted(tmp_path):
    assert loaded(tmp_path, {"delimiter": ","}, ("1.csv", b"id;v\n1;a\n")) == ([("1;a",)], [])


@pytest.mark.parametrize(
    ("files", "options", "why"),
    [
        ([b"id,v\n1,a\n2\n"], {}, "1.csv is ragged: line 3 has 1 cell and the header 2; complete the record"),
        ([b"id,v\n1,a,b\n"], {}, "1.csv is ragged: line 2 has 3 cells and the header 2; quote the cell"),
        ([b"id,v\n1\n2\n"], {}, "line 2 has 1 cell and the header 2 (and 1 more record of another length)"),
        ([b"id,v\n1\n2,a\n3\n4\n"], {}, "(and 2 more records of another length)"),
        ([b"id,v\n1\n1,2,3\n"], {}, "line 2 has 1 cell and the header 2 (and 1 more record of another length)"),
        ([b"id,v\n", b"id,w\n"], {}, "2.csv lacks v and has also w, unlike 1.csv; the parts"),
        ([b"id,v\n", b"id\n"], {}, "2.csv lacks v, unlike 1.csv"),
        ([b"id,v\n", b"id,v,w,x\n"], {}, "2.csv has also w, x, unlike 1.csv"),
        ([b"id,v\n", b"v,id\n"], {}, "2.csv has its columns in another order than 1.csv"),
        ([b"id,v\n1,\xe9\n"], {}, "or name its encoding, e.g. --dialect encoding=latin-1."),
        ([b"id,v\n1,a"], {"encoding": "utf-16"}, "1.csv is not utf-16: "),
        ([b"id,v\n1,\xff\n"], {"encoding": "ascii"}, "1.csv is not ascii: byte 0xFF in line 2 (ordinal not in range"),
        (
            ["id,v\n1,a\n2,b".encode("utf-16")[:-1]],
            {"encoding": "utf-16"},
            "1.csv is not utf-16: byte 0x62 in line 3 (",
        ),
        ([b"id,v\n" + b"1,a\n" * 300_000 + b"1,\x81\x20"], {"encoding": "gb18030"}, "byte 0x81 in line 300002 ("),
        *(([b"id,v\n1,%c\xe9\n" % byte], {}, "--dialect encoding=cp850.") for byte in b"\x81\x8d\x8f\x90\x9d"),
        ([b"id\x01v\n1\x01a\n"], {}, "separates its columns by '\\x01'; export it again with commas."),
        ([b"+/v8-id,v\n1,+AOk-\n"], {}, "or name its encoding, e.g. --dialect encoding=utf-7."),
        ([b"id,v\n1,\xc3"], {}, "that the end of the file cuts off; fetch the file again."),
        (["id,v\n".encode("utf-16")], {}, "or name its encoding, e.g. --dialect encoding=utf-16."),
        (
            [b"id;v\n1;a\n"],
            {},
            "separates its columns by ';'; export it again with commas, or name its delimiter: --dial",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_the_line_and_what_to_do(tmp_path, files, options, why):
    with pytest.raises(RelationError) as refusal:
        loaded(tmp_path, options, *((f"{number}.csv", text) for number, text in enumerate(files, start=1)))

    assert why in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


def test_a_file_that_leaves_its_dialect_is_said_with_one_full_stop(tmp_path):
    with pytest.raises(RelationError, match=r"[^.]\.$") as refusal:
        loaded(tmp_path, {}, ("1.csv", b"id,v\n1,a\0\n"))
    assert "--dialect" not in str(refusal.value)


PACKED = gzip.compress(b"id,v\n1,a\n" * 9, mtime=0)


@pytest.mark.parametrize(
    "content",
    [PACKED[:-9], b"id,v\n1,a\n", PACKED[:10] + b"\xff" * 20],
    ids=["without its end", "not packed", "with other bytes"],
)
def test_a_packed_file_that_cannot_be_unpacked_is_refused(tmp_path, content):
    with pytest.raises(
        RelationError, match=r"a.csv.gz cannot be read: it is not compressed with gzip, or not to its end;"
    ):
        loaded(tmp_path, {}, ("a.csv.gz", content))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ((errno.ENOSPC, "No space"), "cannot be copied to {}/scratch, where it is to be read: No space; free space"),
        ((errno.EACCES, "No right", "a"), r"cannot be read: No right \(a\)\."),
    ],
)
def test_a_file_is_not_blamed_for_a_full_disk(tmp_path, monkeypatch, error, words):
    """The system does not say which file finds no space."""

    def refuse(*_):
        raise OSError(*error)

    monkeypatch.setattr("shutil.copyfileobj", refuse)
    with pytest.raises(RelationError, match=f"^a.csv.gz {words.format(tmp_path)}"):
        loaded(tmp_path, {}, ("a.csv.gz", PACKED))


@pytest.mark.parametrize(("rows", "other"), [(1, "WHERE id = '1'"), (3, "UNION ALL SELECT '3', 'c'")])
def test_a_record_that_was_not_read_is_noticed(tmp_path, monkeypatch, rows, other):
    def changed(*arguments, **options):
        return f"(FROM {duckdb_relation(*arguments, **options)} {other})"

    monkeypatch.setattr(csv_file, "duckdb_relation", changed)
    with pytest.raises(
        RelationError, match=rf"1.csv has 2 records, and {rows} rows were read of it; it is not compared\."
    ):
        loaded(tmp_path, {}, ("1.csv", b"id,v\n1,a\n2,b\n"))
