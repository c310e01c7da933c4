"""docs/landing.md says what becomes of a file that departs from the dialect: each line of its table is done."""

import codecs
import re
from datetime import date
from pathlib import Path

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing.catalogue import CATEGORIES
from olist_pipeline.months import MonthRange

DOCUMENT = Path(__file__).parents[2] / "docs" / "landing.md"
HEADER = b"product_category_name,product_category_name_english"
LINES = re.findall(r"^\| (.+?) \| `(.+?)` \| (.+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)


def test_the_table_is_found():
    assert len(LINES) > 45


@pytest.mark.parametrize(("departure", "example", "becomes"), LINES, ids=[line[0] for line in LINES])
def test_a_line_of_the_table(tmp_path, departure, example, becomes):
    content = codecs.decode(example, "unicode_escape").encode("latin-1")
    content = re.sub(rb"(^|(?<=[\n\r,])|(?<=\xef\xbb\xbf))h(?=[\r\n,])", HEADER, content)
    (tmp_path / CATEGORIES.file).write_bytes(content)
    months = MonthRange(date(2016, 1, 1), date(2018, 12, 1))
    if becomes.startswith("refused: "):
        with pytest.raises(OlistError) as raised:
            ingest(CATEGORIES, tmp_path, months)
        assert becomes.removeprefix("refused: ") in str(raised.value)
        assert str(raised.value).startswith(CATEGORIES.file)
    else:
        codes = ingest(CATEGORIES, tmp_path, months)["rules"].to_list()
        assert sorted(filter(None, codes)) == ([] if becomes == "read" else [becomes.strip("`")])
