"""Tables for the terminal: whatever a bad row holds is printed as it is."""

import io

from rich.console import Console

from olist_pipeline.cli.output import print_rows, table


def printed(**row):
    out = io.StringIO()
    print_rows(Console(file=out, width=100), "Quarantine", [row], list(row))
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
