"""Reading a landing file: the quick look that spares most files an exact one is never wrong."""

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from olist_pipeline.landing.csv_file import _has_all_delimiters  # noqa: PLC2701

CELLS = 3
texts = st.text(alphabet='ab",\n', max_size=4)


def written(records):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(records)
    return out.getvalue()


def lengths(text):
    return [len(cells) for cells in csv.reader(io.StringIO(text, newline=""), strict=True) if cells]


@given(st.lists(st.lists(texts, min_size=CELLS, max_size=CELLS), min_size=1, max_size=6))
def test_whole_records_pass_whatever_their_texts_hold(records):
    text = written(records)
    assert _has_all_delimiters(text.encode(), records=len(records), cells=CELLS)


@given(st.lists(st.lists(texts, min_size=1, max_size=CELLS), min_size=1, max_size=6), st.text('ab",\n', max_size=3))
@example([["a"], ["b"]], "")
@example([["a", 'b"', "c"]], '"')
def test_what_passes_has_no_short_record(records, tail):
    text = written(records) + tail
    try:
        found = lengths(text)
    except csv.Error:
        return
    if max(found, default=0) <= CELLS and _has_all_delimiters(text.encode(), records=len(found), cells=CELLS):
        assert set(found) == {CELLS}
