"""Tables for the terminal: whatever a bad row holds is printed as it is."""

import io
import re

import pytest
from rich.console import Console

from olist_pipeline.cli.output import print_rows, table


def printed(width=100, **row):
    out = io.StringIO()
    print_rows(Console(file=out, width=width), "Quarantine", [row], list(row))
    return out.getvalue()


def test_cells_that_look_like_markup_are_printed_as_they_are():
    assert "[/red] [bold]" in printed(cells="[/red] [bold]")


def test_numbers_verdicts_and_nothing():
    text = printed(rows=1234567, verdict="identical", why=None)
    assert "1,234,567" in text
    assert "identical" in text
    assert "None" not in text


def test_no_text_steers_the_terminal():
    text = printed(city="a\x1b]52;c;aGk=\x07\r\x9bb\tc")
    assert r"a\x1b]52;c;aGk=\x07\x0d\x9bb" in text
    assert "\x1b]" not in text


def test_numbers_stand_to_the_right_beside_an_empty_cell():
    shown = table("Rows", ["landing", "nothing"], [[1_000_163, None], [None, None], [71, None]])
    assert [column.justify for column in shown.columns] == ["right", "left"]


WHY = "an order that nobody can send has no items at all"
ROW = {
    "rule": "ORDER_WITHOUT_ITEMS",
    "why": WHY,
    "key": "8e24261a7e58791d10cb1bf9da94df5c",
    "rows": 1234,
    "nothing": None,
}


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_word_is_broken_and_no_line_is_too_long_at_any_width(width):
    text = printed(width, **ROW)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    words = set(re.split(r"[\s│┃]+", text))
    assert {"ORDER_WITHOUT_ITEMS", "1,234", *WHY.split()} <= words


def test_a_row_that_does_not_fit_is_a_record_without_what_is_empty():
    lines = [line.split() for line in printed(40, **ROW).splitlines()]
    assert lines[:2] == [["Quarantine"], ["rule", "ORDER_WITHOUT_ITEMS"]]
    assert ["rows", "1,234"] in lines
    assert "nothing" not in printed(40, **ROW)
