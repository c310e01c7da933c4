"""The check of a file's bytes: it finds what reading them one by one finds, in blocks of any size."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from olist_pipeline.dialect import check as module
from olist_pipeline.dialect.check import check
from olist_pipeline.dialect.dialect import CELL_BYTES, RECORD_BYTES, Dialect
from olist_pipeline.dialect.faults import refusal
from olist_pipeline.errors import OlistError
from tests.pipeline.dialect.reference import read

CELLS = [b"", b"a", b"\xc3\xa3", b'"x"', b'"a,b"', b'"a""b"', b'"\n"', b'"\r"', b'"\r\n"', b'""']
ends = st.sampled_from([b"\n", b"\r\n"])
records = st.lists(st.lists(st.sampled_from(CELLS), min_size=1, max_size=4).map(b",".join), max_size=6)
wild = st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\r", b"\0", b"\xe3", b"\xc3\xa3"]), max_size=12)


@st.composite
def contents(draw):
    """Draw a file of two columns: mostly whole records, with a few wild bytes."""
    end = draw(ends)
    body = end.join(draw(records)) + draw(st.sampled_from([b"", end]))
    at = draw(st.integers(0, len(body)))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + b"x,y" + end + body[:at] + b"".join(draw(wild)) + body[at:]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(content=contents(), block=st.sampled_from([5, 17, 1 << 20]))
@example(b'x,y\n1,"2', 1 << 20)
@example(b"x,y\n1,2\r", 1 << 20)
@example(b'x,y\n"a"""b,"c"\n', 5)
def test_it_finds_what_reading_byte_by_byte_finds(tmp_path, monkeypatch, content, block):
    found = []

    def remembered(path, name, fault, offset, *more):
        found.append((offset, fault))
        return refusal(path, name, fault, offset, *more)

    monkeypatch.setattr(module, "refusal", remembered)
    monkeypatch.setattr(module, "BLOCK_BYTES", block)
    module._report.cache_clear()
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    expected = read(content)
    if expected.fault:
        with pytest.raises(OlistError) as raised:
            check(path)
        assert found == [expected.fault]
        assert "\n" not in str(raised.value)
        return
    report = check(path)
    lengths = {number: len(record) for number, record in enumerate(expected.records) if number}
    assert report.records == len(lengths)
    ragged = {number: length for number, length in lengths.items() if length != 2}
    assert dict(zip(report.ragged.record.tolist(), report.ragged.cells.tolist(), strict=True)) == ragged
    assert (report.is_finished, report.has_bom) == (content.endswith(b"\n"), content.startswith(b"\xef"))


def written(tmp_path, content):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


def sentence(path, dialect=None):
    with pytest.raises(OlistError) as raised:
        check(path, dialect or Dialect())
    return str(raised.value)


def test_ragged_records_know_their_bytes(tmp_path):
    content = b'x,y\r\n1,2\r\n\r\n"a\nb"\r\n1,2,3'
    report = check(written(tmp_path, content))
    texts = [content[start:end] for start, end in zip(report.ragged.start, report.ragged.end, strict=True)]
    assert texts == [b'"a\nb"', b"1,2,3"]
    assert (report.ragged.record.tolist(), report.empty_lines.tolist()) == ([2, 3], [1])
    assert content[report.last :] == b"1,2,3"


def test_an_empty_line_is_a_record_of_one_column(tmp_path):
    report = check(written(tmp_path, b"x\n1\n\n2\n"))
    assert (report.records, report.empty_lines.tolist()) == (3, [])


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_the_longest_cell(tmp_path, quote, end):
    longest = b"z" * (CELL_BYTES - 2 * len(quote))
    assert check(written(tmp_path, b"x,y" + end + b"1," + quote + longest + quote + end)).records == 1
    path = written(tmp_path, b"x,y" + end + b"1,2" + end + b"1," + quote + longest + b"z" + quote + end)
    assert f"has a cell of more than {CELL_BYTES:,} bytes in line 3" in sentence(path)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_record_of_many_cells_may_not_be_too_long(tmp_path, end):
    longest = (b"z" * 99_999 + b",") * (RECORD_BYTES // 100_000 - 1) + b"z" * 100_000
    lines = b"x,y" + end + b"1,2" + end
    assert check(written(tmp_path, lines + longest + end)).records == 2
    path = written(tmp_path, lines + longest + b"z" + end)
    assert f"has a record of more than {RECORD_BYTES:,} bytes in line 3" in sentence(path)


def test_a_quote_that_swallows_the_rest_of_a_large_file(tmp_path):
    path = written(tmp_path, b'x,y\n1,"2\n' + b"1,2\n" * 800_000)
    assert "in line 2" in sentence(path)


def test_the_quote_that_never_closes_is_the_last_one(tmp_path):
    path = written(tmp_path, b'"x",y\n"1","2\n3,4\n')
    assert "has a quote that never closes in line 2" in sentence(path)


def test_a_quote_that_opens_in_an_earlier_line_is_named(tmp_path):
    path = written(tmp_path, b'x,y\n1,"2\n3,4\n5,"6"\n')
    assert "text after a closing quote in line 4 (the quote opens in line 2)" in sentence(path)


@pytest.mark.parametrize(
    "record",
    [b'1,"a \\"b\\" c"', b'1,a \\"b', b'1,"a\\""\n2,"b"', b'1,"a\\""', b'1,"a\nb \\"c"'],
)
def test_quotes_behind_backslashes_are_called_that(tmp_path, record):
    """As Spark, R and MySQL write them; the remedy is not to close or to quote anything."""
    path = written(tmp_path, b"x,y\n" + record + b"\n")
    assert "has a quote behind a backslash in line" in sentence(path)


def test_a_backslash_elsewhere_does_not_explain_a_quote(tmp_path):
    path = written(tmp_path, b'x,y\n"\\","a"b\n')
    assert "text after a closing quote in line 2" in sentence(path)


@pytest.mark.parametrize(
    "content",
    [b'x;y\n1;"a, b"\n', b'x;y\n1;"a"\n2;"b ""c"", d"\n', b'x\ty\n1\ta "b" c\n', b'"x";"y"\n', b'"x, z";"y"\n'],
)
def test_another_delimiter_explains_a_quote_in_a_wrong_place(tmp_path, content):
    assert "separates its columns by" in sentence(written(tmp_path, content))


@pytest.mark.parametrize(("delimiter", "words"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars"), ("~", "'~'")])
def test_a_file_of_commas_in_another_dialect(tmp_path, delimiter, words):
    path = written(tmp_path, b'x,y\n1,"a"\n')
    said = sentence(path, Dialect(delimiter=delimiter))
    assert said.endswith(f"separates its columns by ','; export it again with {words}.")


def test_a_file_that_changes_is_read_again(tmp_path):
    path = written(tmp_path, b"x,y\n1,2\n")
    assert check(path).records == 1
    assert check(written(tmp_path, b"x,y\n1,2\n3,4\n")).records == 2


def test_another_dialect(tmp_path):
    path = written(tmp_path, "x;y\n1;'a;b\xe3'\n\"2;3\n".encode("latin-1"))
    report = check(path, Dialect(delimiter=";", quote="'", encoding="latin-1"))
    assert (report.header, report.records, len(report.ragged.record)) == (("x", "y"), 2, 0)


def test_a_dialect_without_quotes(tmp_path):
    report = check(written(tmp_path, b'x,y\n"1,2"\n'), Dialect(quote=""))
    assert (report.records, len(report.ragged.record)) == (1, 0)


@pytest.mark.parametrize("wrong", [{"delimiter": ""}, {"delimiter": "é"}, {"quote": ","}, {"encoding": "utf-7"}])
def test_a_dialect_that_no_reader_knows(wrong):
    with pytest.raises(OlistError, match="cannot be read"):
        Dialect(**wrong)


def test_a_sample_that_begins_within_a_character_tells_the_encoding_all_the_same(tmp_path):
    """Of a large file a part is looked at: half of a character is no byte of Windows-1252, as 0x81 would be."""
    words = "\u0101\u0101\u0101y\n".encode()
    assert len(words) == 8, "so that the sample begins with the second byte of a word"
    path = tmp_path / "a.csv"
    path.write_bytes(b"x\n" + words * 120_000 + b"S\xe3o\n" + words * 120_000)
    with pytest.raises(OlistError, match=r"\(Latin-1 or Windows-1252\), while other characters are; correct that cell"):
        check(path, name="a.csv")


def test_the_word_that_is_no_utf8_is_shown_wherever_it_stands(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"x\n" + b"one two\n" * 100 + b"S\xe3o Paulo\n" + b"three\n" * 100)
    with pytest.raises(OlistError, match=r"byte 0xE3 in line 102; .* where 'S\xe3o' is right"):
        check(path, name="a.csv")


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_bytes_that_windows_has_not_either_name_no_encoding(tmp_path, byte):
    path = tmp_path / "a.csv"
    path.write_bytes(b"x\ny" + bytes([byte]) + b"z\n")
    with pytest.raises(OlistError, match=r"was saved in \(neither Latin-1 nor Windows-1252\)"):
        check(path, name="a.csv")


@pytest.mark.parametrize("end", [b"\xc3", b"\xe3", b"\xe3\x81", b"\xf0\x90\x80", b"\xf4\x80"])
def test_the_end_of_a_file_may_cut_a_character(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(b"x\ny" + end)
    with pytest.raises(OlistError, match="in line 2 begins a character that the end of the file cuts off; fetch"):
        check(path, name="a.csv")


@pytest.mark.parametrize("end", [b"\xe3\n", b"\xe3\xc0", b"\xe3abc", b"\xf5\x80", b"\xc1", b"\xa0"])
def test_other_bytes_at_the_end_are_of_another_encoding(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(b"x\ny" + end)
    with pytest.raises(OlistError, match="in line 2; convert it first: `iconv"):
        check(path, name="a.csv")
