"""Intake of tables that are too large to be read at once: window by window it makes the same rows as of the whole."""

import csv
import io
import random
from itertools import pairwise

import polars as pl
import pytest

from olist_pipeline.dialect import check
from olist_pipeline.errors import OlistError
from olist_pipeline.intake import large
from olist_pipeline.intake.places import SOURCE_FILE
from olist_pipeline.intake.rows import ingest, parents_of
from olist_pipeline.intake.span import dated_span
from olist_pipeline.landing.catalogue import (
    CATEGORIES,
    CUSTOMERS,
    GEOLOCATION,
    ORDER_ITEMS,
    ORDER_REVIEWS,
    ORDERS,
)
from olist_pipeline.landing.csv_file import read_records, read_text, windows_of
from olist_pipeline.landing.folder import readable_landing
from olist_pipeline.landing.inspection import inspect_landing
from olist_pipeline.landing.parts import folder_name
from olist_pipeline.orchestration.changes import landing_content, unfinished
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path, write_frame
from olist_pipeline.synthetic import generate
from tests.pipeline.intake.test_bad_input import MONTHS

SPOILT = (ORDERS, ORDER_ITEMS, ORDER_REVIEWS, CUSTOMERS, GEOLOCATION, CATEGORIES)
"""With a date, a parent, a parent and texts with line ends, without either, without a key, and with a mark of bytes."""


@pytest.fixture
def small_windows(monkeypatch):
    """Files are cut about every 2,000 bytes, and none is read at once."""
    monkeypatch.setattr(check, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(check, "WINDOW_BYTES", 2000)
    monkeypatch.setattr(large, "LARGE_BYTES", 0)
    monkeypatch.setattr(large, "RECORDS", 11)
    check._report.cache_clear()
    yield
    check._report.cache_clear()


def records_of(path):
    """Return the header of a file and its records, each as the line, or the lines, that it has."""
    with path.open(encoding="utf-8", newline="") as file:
        return [record(cells) for cells in csv.reader(file) if cells]


def cut(path, folder, places):
    """Write a file as parts in a folder, cut before these records."""
    header, *records = records_of(path)
    folder.mkdir(parents=True)
    for number, (first, last) in enumerate(pairwise((0, *places, len(records)))):
        (folder / f"{number}.csv").write_text("".join([header, *records[first:last]]), "utf-8")


def record(cells):
    """Return cells as the line, or the lines, of a record."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A landing with records that come twice, are broken, empty or belong to nobody, anywhere in a file."""
    folder = tmp_path_factory.mktemp("large") / "landing"
    generate(folder, orders=50, seed=3)
    chance = random.Random(4)
    for table in SPOILT:
        header, *records = records_of(folder / table.file)
        strange = f"nobodys_{table.name},{records[4].partition(',')[2]}"
        longer = records[3].replace(",", ",,", 1)
        for spoilt in (records[2], records[-1], "half a record\n", longer, strange, "\n", header):
            for _ in range(2):
                records.insert(chance.randrange(len(records)), spoilt)
        (folder / table.file).write_text("".join([header, *records]), "utf-8")
    return folder


def test_windows_together_are_the_file(whole, small_windows):
    for table in LANDING.values():
        path = whole / table.file
        text, windows = read_text(path, table), windows_of(path, table)
        pieces = [read_text(path, table, window) for window in windows]
        assert pl.concat(piece.rows for piece in pieces).equals(text.rows)
        assert pl.concat(piece.malformed for piece in pieces).equals(text.malformed)
        records, numbers, count = read_records(path, table)
        found = [read_records(path, table, window) for window in windows]
        assert pl.concat(rows for rows, _, _ in found).equals(records)
        assert pl.concat(some for _, some, _ in found).equals(numbers)
        assert {number for *_, number in found} == {count}
    assert len(windows_of(whole / ORDERS.file, ORDERS)) > 3


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_windows_hold_whatever_a_file_lawfully_has(tmp_path, small_windows, monkeypatch, end, mark):
    """Line ends, delimiters and doubled quotes within cells; a last record without its end; no record at all."""
    monkeypatch.setattr(check, "BLOCK_BYTES", 50)
    monkeypatch.setattr(check, "WINDOW_BYTES", 1)
    table = ORDER_REVIEWS
    cell = f'"a ""b"", {end}c"'
    texts = [f"r{n},o{n},5,{cell},,2018-01-01 00:00:00,2018-01-02 00:00:00" for n in range(40)]
    for records in (texts, [*texts, "r,o,5,,,2018-01-01 00:00:00,2018-01-02"], []):
        path = tmp_path / table.file
        path.write_bytes((mark + end.join([",".join(table.columns), *records])).encode())
        text = read_text(path, table)
        pieces = [read_text(path, table, window) for window in windows_of(path, table)]
        assert pl.concat(piece.rows for piece in pieces).equals(text.rows)
        assert pl.concat(piece.malformed for piece in pieces).equals(text.malformed)
        assert text.rows.height + text.malformed.height == len(records)


def test_the_rows_are_those_of_the_whole(whole, tmp_path, small_windows):
    """In their order, with their payloads; of a table in one file, and of one in parts, of which one is large."""
    found_codes = set()
    for table in (ORDERS, *(one for one in SPOILT if one is not ORDERS)):
        cut(whole / table.file, tmp_path / "landing" / folder_name(table), (1, 2, 40))
        parents = None
        if table.parent:
            scanned = pl.scan_parquet(intake_path(tmp_path / "intake", table.parent.table.name))
            parents = parents_of(scanned, table.parent.table)
        at_once = None if parents is None else parents.collect()
        expected = ingest(table, whole, MONTHS, at_once)
        rows = large.ingest_any(table, whole, MONTHS, parents, tmp_path / "folder").collect()
        assert rows.equals(expected), table.name
        assert len(list((tmp_path / "folder").glob("*.rows.parquet"))) == len(windows_of(whole / table.file, table))
        write_frame(rows, intake_path(tmp_path / "intake", table.name))
        found_codes |= {code for text in expected["rules"] for code in text.split(",")}

        landing = readable_landing(Settings(tmp_path / "home", tmp_path / "landing", None), [table])
        of_parts = large.ingest_any(table, landing, MONTHS, parents, tmp_path / "folder").collect()
        assert of_parts.equals(ingest(table, landing, MONTHS, at_once)), table.name
        assert of_parts[SOURCE_FILE].n_unique() > 2
    assert found_codes >= {"DUPLICATE_KEY", "MALFORMED_ROW", "ORPHAN_ORDER_ITEMS", "PARENT_REJECTED", "REPEATED_HEADER"}


def test_what_is_said_of_landing_is_the_same(whole, tmp_path, small_windows, monkeypatch):
    def said(folder):
        settings = Settings(tmp_path / "home", whole, None)
        return (
            landing_content(whole, MONTHS.last, folder),
            dated_span(whole, ORDERS, MONTHS.last),
            inspect_landing(settings, LANDING.values()),
            [unfinished(whole, table) for table in LANDING.values()],
        )

    by_windows = said(tmp_path / "a")
    monkeypatch.undo()
    check._report.cache_clear()
    assert len(windows_of(whole / ORDERS.file, ORDERS)) == 1
    assert said(tmp_path / "b") == by_windows
    assert not list((tmp_path / "a").iterdir())


def test_a_file_that_gets_shorter_between_two_windows_is_a_sentence(whole, tmp_path, small_windows):
    path = tmp_path / ORDERS.file
    path.write_bytes((whole / ORDERS.file).read_bytes())
    last = windows_of(path, ORDERS)[-1]
    path.write_text(records_of(path)[0], "utf-8")
    for read in (read_text, read_records):
        with pytest.raises(OlistError, match=f"{ORDERS.file} was changed while it was read; run again"):
            read(path, ORDERS, last)
