"""docs/landing.md says what becomes of a file that departs from the dialect: each line of its table is done."""

import codecs
import gzip
import io
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.catalogue import CATEGORIES
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.months import MonthRange
from olist_pipeline.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "landing.md"
HEADER = b"product_category_name,product_category_name_english"
LINES = re.findall(r"^\| (.+?) \| `(.+?)` \| (.+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
PARTS = re.findall(r"^\| (`[^|]+?`: `[^|]+`) \| (.+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
MONTHS = MonthRange(date(2016, 1, 1), date(2018, 12, 1))


def test_the_tables_are_found():
    assert len(LINES) > 45
    assert len(PARTS) > 15


@pytest.mark.parametrize(("departure", "example", "becomes"), LINES, ids=[line[0] for line in LINES])
def test_a_line_of_the_table(tmp_path, departure, example, becomes):
    (tmp_path / CATEGORIES.file).write_bytes(written(example))
    if becomes.startswith("refused: "):
        with pytest.raises(OlistError) as raised:
            ingest(CATEGORIES, tmp_path, MONTHS)
        assert becomes.removeprefix("refused: ") in str(raised.value)
        assert str(raised.value).startswith(CATEGORIES.file)
    else:
        codes = ingest(CATEGORIES, tmp_path, MONTHS)["rules"].to_list()
        assert sorted(filter(None, codes)) == ([] if becomes == "read" else [becomes.strip("`")])


@pytest.mark.parametrize(("parts", "becomes"), PARTS, ids=[line[0] for line in PARTS])
def test_a_line_of_the_table_of_parts(tmp_path, parts, becomes):
    landing = tmp_path / "landing"
    for name, example in re.findall(r"`([^`]+)`: `([^`]+)`", parts):
        path = landing / CATEGORIES.file.removesuffix(".csv") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = written(example)
        if name.endswith(".parquet") and content != b"PAR1":
            pl.read_csv(io.BytesIO(content)).write_parquet(path)
        else:
            path.write_bytes(gzip.compress(content) if name.endswith(".gz") and b"\n" in content else content)
    settings = Settings(tmp_path / "home", landing, None)
    if becomes.startswith("refused: "):
        with pytest.raises(OlistError) as raised:
            ingest(CATEGORIES, readable_landing(settings, [CATEGORIES]), MONTHS)
        assert becomes.removeprefix("refused: ") in str(raised.value)
        assert "\n" not in str(raised.value)
    else:
        rows = ingest(CATEGORIES, readable_landing(settings, [CATEGORIES]), MONTHS)
        codes = [] if becomes == "read" else re.findall(r"`(\w+)`", becomes)
        assert sorted(filter(None, rows["rules"].to_list())) == codes
        assert rows["source_row"].sort().to_list() == list(range(1, rows.height + 1))


def written(example):
    """Return the bytes of an example, in which h stands for the header."""
    content = codecs.decode(example, "unicode_escape").encode("latin-1")
    return re.sub(rb"(^|(?<=[\n\r,])|(?<=\xef\xbb\xbf))h(?=[\r\n,])", HEADER, content)
