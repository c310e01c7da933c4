"""Tables for the terminal: whatever a bad row holds is printed as it is."""

import io
import json
import re
import sys
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from olist_pipeline.cli import status
from olist_pipeline.cli.main import cli, main
from olist_pipeline.cli.output import print_json, print_rows, table, tell_shares
from olist_pipeline.cli.parity_view import print_comparison, print_report
from olist_pipeline.landing.catalogue import ORDERS
from olist_pipeline.landing.csv_file import check_file
from olist_pipeline.tablediff.contract import Contract
from olist_pipeline.tablediff.sources import compare_sources


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


STEERING = "[/b]\x1b]0;mine\x07[red]\x9b2J"


def plain(console_prints):
    out = io.StringIO()
    console_prints(Console(file=out, width=1000))
    return out.getvalue()


def test_an_alert_that_quotes_a_cell_is_printed_as_it_is():
    report = {
        "unrecorded": "",
        "contexts": [],
        "tables": [],
        "too_much_rejected": [],
        "last_failure": None,
        "release": None,
        "automation": False,
        "alerts": [{"at": "2026-01-01", "text": f"row 1: city {STEERING}"}, {"at": 7, "text": None}],
    }
    text = plain(lambda console: status._print(console, report, Path("serving"), show_rules=False))
    assert r"row 1: city [/b]\x1b]0;mine\x07[red]\x9b2J" in text


def test_json_is_what_it_says_and_steers_no_terminal(capsys):
    print_json({STEERING: [STEERING, "são\n"]})
    text = capsys.readouterr().out
    assert json.loads(text) == {STEERING: [STEERING, "são\n"]}
    assert not set(text) & {"\x1b", "\x9b", "\x07"}
    assert "são" in text


def test_a_share_that_names_an_id_is_printed_as_it_is():
    text = plain(lambda console: tell_shares(console, [{"sentence": f"order {STEERING}", "stops": True}]))
    assert r"order [/b]\x1b]0;mine\x07[red]\x9b2J; nothing is released" in text


def test_columns_of_any_name_are_compared_and_printed_as_they_are(tmp_path):
    for name, value in (("old", "a"), ("new", "b")):
        frame = pl.DataFrame({"id": ["1", name], STEERING: [value, "c"]})
        frame.with_columns(pl.lit(1).alias(f"[/{name}]")).write_parquet(tmp_path / f"{name}.parquet")
    contract = Contract("t", ("id",))
    comparison = compare_sources(str(tmp_path / "old.parquet"), str(tmp_path / "new.parquet"), contract)
    text = plain(lambda console: print_comparison(console, comparison.to_dict()))
    assert text.count(r"[/b]\x1b]0;mine\x07[red]\x9b2J") >= 3
    assert "[/old]" in text
    assert "\x1b" not in text


def test_of_long_texts_what_is_around_their_difference_is_printed(tmp_path):
    texts = {"old": "x" * 90_000 + "old" + "y" * 9_000, "new": "x" * 90_000 + "new"}
    for name, text in texts.items():
        pl.DataFrame({"id": ["1", name], "text": [text, "z" * 5_000]}).write_parquet(tmp_path / f"{name}.parquet")
    old, new = (str(tmp_path / f"{name}.parquet") for name in texts)
    comparison = compare_sources(old, new, Contract("t", ("id",)))
    text = plain(lambda console: print_comparison(console, comparison.to_dict()))
    assert len(text) < 20_000
    shown = "".join(letter for letter in text if letter in "xyoldnew.")
    assert "x" * 50 + "old" + "y" * 50 in shown
    assert "...z" not in shown
    assert "z..." in "".join(letter for letter in text if letter in "z.")


def test_what_a_measure_lost_less_than_one_of_keeps_its_sign():
    moved = {"lost": "-0.50", "much": "-1234567.50", "few": -3, "little": 0.25}
    effect = {"rules": "A_RULE", "gone": 0, "come": 0, "changed": 1, "moved": moved}
    effects = {"by_rule": [effect], "totals": {"gmv": ["-0.50", "0.50"]}}
    report = {"verdict": "identical", "sentences": ["Orders."], "effects": effects, "approvals": []}
    text = plain(lambda console: print_report(console, report))
    assert all(shown in text for shown in ("-0.50", "-1,234,567.50", "-3", "0.25"))
    assert text.count("-0.50") == 2


def test_an_error_that_quotes_a_header_steers_no_terminal(tmp_path, monkeypatch, capsys):
    (tmp_path / "olist_orders_dataset.csv").write_text(f"order_id,{STEERING}\n1,2\n")

    def fail(**_: object) -> None:
        check_file(tmp_path / "olist_orders_dataset.csv", ORDERS)

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr(sys, "argv", ["olist"])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "\\x1b]0;mine" in said
    assert "\x1b]" not in said


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
