"""Where landing files are: packed ones are read, missing ones are named by what stands in their place."""

import gzip
import os
import random
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.files import size_and_time
from olist_pipeline.intake.rows import ingest
from olist_pipeline.landing import packed
from olist_pipeline.landing.catalogue import ORDER_ITEMS, ORDERS
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import path_of, readable_landing, state_of, unread_form
from olist_pipeline.landing.inspection import inspect_landing
from olist_pipeline.near import visible_name
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings
from tests.pipeline.intake.test_bad_input import MONTHS

TABLES = (ORDERS, ORDER_ITEMS)


@pytest.fixture
def settings(tmp_path, landing) -> Settings:
    return Settings(tmp_path / "home", landing, None)


@pytest.fixture
def plain(landing):
    return ingest(ORDERS, landing, MONTHS)


def read(settings):
    return ingest(ORDERS, readable_landing(settings, TABLES), MONTHS)


def pack(landing, archive="archive.zip", member=ORDERS.file, *, keep=False):
    path = landing / ORDERS.file
    content = path.read_bytes()
    if archive.endswith(".gz"):
        (landing / archive).write_bytes(gzip.compress(content))
    else:
        with zipfile.ZipFile(landing / archive, "a", zipfile.ZIP_DEFLATED) as written:
            if "/" in member:
                written.writestr(member.removesuffix(ORDERS.file), b"")
            written.writestr(member, content)
    if not keep:
        path.unlink()


def sentence(settings, table=ORDERS):
    with pytest.raises(OlistError) as raised:
        path_of(readable_landing(settings, [table]), table)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_plain_files_are_read_in_place(settings, landing):
    assert readable_landing(settings, TABLES) == landing
    assert not settings.home.exists()


@pytest.mark.parametrize(
    ("archive", "member"),
    [
        (f"{ORDERS.file}.gz", ""),
        ("archive.zip", ORDERS.file),
        ("brazilian-ecommerce (1).ZIP", f"data/{ORDERS.file}"),
        (f"{ORDERS.file}.zip", f"../../{ORDERS.file}"),
        ("archive.zip", f"data\\{ORDERS.file}"),
        ("archive.zip", f"{ORDERS.file}/{ORDERS.file}"),
    ],
)
def test_packed_files_are_read_beside_plain_ones(settings, landing, plain, archive, member):
    pack(landing, archive, member)
    assert read(settings).equals(plain)
    folder = readable_landing(settings, TABLES)
    assert folder.parent == settings.unpacked
    assert path_of(folder, ORDER_ITEMS).resolve() == (landing / ORDER_ITEMS.file).resolve()
    assert sorted(path.name for path in landing.parent.iterdir() if path.suffix == ".csv") == []


def test_a_packed_file_is_unpacked_once_and_again_when_it_changes(settings, landing):
    pack(landing)
    first = path_of(readable_landing(settings, TABLES), ORDERS)
    before = first.stat()
    assert path_of(readable_landing(settings, TABLES), ORDERS).stat().st_ino == before.st_ino
    assert state_of(landing, ORDERS) == size_and_time(landing / "archive.zip")
    (landing / "archive.zip").unlink()
    (landing / f"{ORDERS.file}.gz").write_bytes(gzip.compress(b"order_id\n"))
    assert path_of(readable_landing(settings, TABLES), ORDERS).read_bytes() == b"order_id\n"


@pytest.mark.parametrize("damage", [lambda data: bytes(len(data)), lambda data: data[:-9], lambda data: b""])
def test_what_was_unpacked_and_then_damaged_is_unpacked_again(settings, landing, plain, damage):
    pack(landing)
    unpacked = path_of(readable_landing(settings, TABLES), ORDERS)
    unpacked.write_bytes(damage(unpacked.read_bytes()))
    assert read(settings).equals(plain)


def test_the_plain_file_wins(settings, landing, plain):
    pack(landing, f"{ORDERS.file}.gz", keep=True)
    assert readable_landing(settings, TABLES) == landing
    [report] = inspect_landing(settings, [ORDERS])
    assert report.remark == f"{ORDERS.file}.gz beside it is not read"


def test_the_check_says_what_was_unpacked(settings, landing):
    pack(landing)
    [report] = inspect_landing(settings, [ORDERS])
    assert (report.rows, report.remark) == (2, "unpacked from archive.zip")


def test_what_was_unpacked_goes_with_its_archive(settings, landing):
    pack(landing)
    pack_items = (landing / ORDER_ITEMS.file).read_bytes()
    readable_landing(settings, TABLES)
    (landing / ORDER_ITEMS.file).unlink()
    assert "is missing" in sentence(settings, ORDER_ITEMS)
    (landing / ORDER_ITEMS.file).write_bytes(pack_items)
    (landing / "archive.zip").unlink()
    assert f"{ORDERS.file} is missing in {landing}" in sentence(settings)


@pytest.mark.parametrize("archive", [f"{ORDERS.file}.gz", "archive.zip"])
@pytest.mark.parametrize("cut", [0, 1, 20, -1])
def test_a_broken_archive(settings, landing, archive, cut):
    pack(landing, archive)
    path = landing / archive
    path.write_bytes(path.read_bytes()[:cut])
    said = sentence(settings)
    assert "fetch it again" in said or "is missing" in said
    assert not list(settings.unpacked.rglob("*.csv"))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda packed: gzip.decompress(packed), "it is not gzip, or not to its end"),
        (lambda packed: packed + b"garbage", "it is not gzip, or not to its end"),
        (lambda packed: packed[:12] + b"\xff" * 20 + packed[32:], "what is packed in it is damaged"),
    ],
    ids=["plain", "more behind it", "other bytes"],
)
def test_why_gzip_is_not_unpacked_is_said_in_words(settings, landing, damage, why):
    pack(landing, f"{ORDERS.file}.gz")
    path = landing / f"{ORDERS.file}.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert sentence(settings).startswith(f"{ORDERS.file}.gz cannot be unpacked ({why}); fetch it again")


@pytest.mark.parametrize(
    ("archive", "name"), [(f"{ORDERS.file}.gz", f"{ORDERS.file}.gz"), ("a.zip", f"a.zip ({ORDERS.file})")]
)
def test_what_is_wrong_within_an_archive_is_said_of_it(settings, landing, archive, name):
    (landing / ORDERS.file).write_bytes((landing / ORDERS.file).read_bytes() + b'"')
    pack(landing, archive)
    with pytest.raises(OlistError) as raised:
        read(settings)
    assert str(raised.value).startswith(f"{name} has a quote that never closes in line 4")


def test_an_archive_with_a_password_is_not_fetched_again(settings, landing):
    pack(landing)
    archive = bytearray((landing / "archive.zip").read_bytes())
    for place in (6, archive.rindex(b"PK\x01\x02") + 8):  # the flags of the member, at both its places
        archive[place] |= 1
    (landing / "archive.zip").write_bytes(archive)
    assert sentence(settings).endswith("password required for extraction); unpack it yourself.")


def test_damage_within_an_archive(settings, landing):
    pack(landing)
    content = bytearray((landing / "archive.zip").read_bytes())
    content[80] ^= 0xFF
    (landing / "archive.zip").write_bytes(content)
    assert "archive.zip cannot be unpacked" in sentence(settings)


def test_an_archive_that_is_damaged_anywhere_is_read_whole_or_refused(settings, landing):
    """Whatever the packing and the damage: each decoder of Python's raises errors of its own."""
    content = (landing / ORDERS.file).read_bytes()
    pack(landing)
    drawn = random.Random(4)
    for number in range(240):
        packing = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[number % 4]
        with zipfile.ZipFile(landing / "archive.zip", "w", packing) as written:
            written.writestr(ORDERS.file, content)
            written.writestr("é.txt", b"")
        archive = bytearray((landing / "archive.zip").read_bytes())
        place = drawn.choice([drawn.randrange(len(archive)), drawn.randrange(60), -1 - drawn.randrange(200)])
        archive[place] = drawn.choice([0, 255, drawn.randrange(256)])
        (landing / "archive.zip").write_bytes(archive)
        assert read_or_refused(settings) in (content, "refused"), "neither another file nor another's fault"


def read_or_refused(settings):
    """Return the orders as they were unpacked, or that the archive is said to be at fault, or that it has none."""
    try:
        unpacked = readable_landing(settings, [ORDERS]) / ORDERS.file
    except OlistError as error:
        return "refused" if re.search("fetch it again|password.*; unpack it yourself", str(error)) else str(error)
    return unpacked.read_bytes() if unpacked.exists() else "refused"


@pytest.mark.parametrize("archive", [f"{ORDERS.file}.gz", "archive.zip"])
def test_an_archive_is_not_blamed_for_a_full_disk(settings, landing, monkeypatch, archive):
    pack(landing, archive)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packed, "_opened", full)
    said = sentence(settings)
    assert f"cannot be read: No space left on device ({settings.unpacked}/" in said
    assert said.endswith(f"/{ORDERS.file}); free space and run again."), "and the disk is named that is full"


def test_a_file_that_is_packed_twice(settings, landing):
    pack(landing, "a.zip", keep=True)
    pack(landing, "b.zip")
    assert f"in a.zip ({ORDERS.file}) and b.zip ({ORDERS.file}); keep one." in sentence(settings)


def test_an_archive_that_unpacks_to_far_too_much(settings, landing, monkeypatch):
    monkeypatch.setattr(packed, "ALWAYS_ALLOWED_BYTES", 1000)
    (landing / ORDERS.file).write_bytes(b"0" * 10_000_000)
    pack(landing)
    assert "unpacks olist_orders_dataset.csv to more than any table would be" in sentence(settings)
    assert not list(settings.unpacked.rglob("*.csv"))


@pytest.mark.parametrize(
    "name",
    [
        "olist_orders_dataset (1).csv",
        "olist_orders_dataset.CSV",
        "Olist_Orders_Dataset.csv",
        "olist_orders_dataset.csv.csv",
        "olist_orders_dataset.csv.txt",
        "olist_orders_dataset.csv.crdownload",
        "copy of olist_orders_dataset.csv",
        "olist orders dataset.csv",
        " olist_orders_dataset.csv",
        "olist_orders_dataset\n.csv",
    ],
)
def test_a_missing_file_that_is_there_under_another_name(settings, landing, name):
    (landing / ORDERS.file).rename(landing / name)
    assert f"is missing in {landing}; there is {visible_name(name)}: rename it" in sentence(settings)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("olist_orders_dataset.xlsx", Path.touch, "there is {}: save its table as olist_orders_dataset.csv."),
        ("olist_orders_dataset.csv.gz", os.mkfifo, "{} is a pipe or a device; put a file in its place and run again."),
        ("olist_orders_dataset", lambda path: path.symlink_to("gone"), "{} links to gone, which is not there; mend"),
    ],
)
def test_what_stands_in_the_place_of_a_missing_file(settings, landing, name, make, words):
    (landing / ORDERS.file).unlink()
    make(landing / name)
    assert f"is missing in {landing}; {words.format(name)}" in sentence(settings)


def test_a_folder_that_is_called_like_the_file_may_hold_parts(settings, landing):
    (landing / ORDERS.file).unlink()
    (landing / ORDERS.file).mkdir()
    assert "is a folder; call it olist_orders_dataset where it holds parts of the table" in sentence(settings)


def test_a_missing_file_that_is_one_folder_deeper(settings, landing):
    (landing / "brazilian-ecommerce").mkdir()
    (landing / ORDERS.file).rename(landing / "brazilian-ecommerce" / ORDERS.file)
    assert f"it is in {landing / 'brazilian-ecommerce'}: set OLIST_DATA_DIR" in sentence(settings)


def test_a_folder_and_a_link_in_the_place_of_a_file(settings, landing):
    (landing / ORDERS.file).unlink()
    (landing / ORDERS.file).mkdir()
    assert "is a folder" in sentence(settings)
    (landing / ORDERS.file).rmdir()
    (landing / ORDERS.file).symlink_to("nowhere.csv")
    assert "links to nowhere.csv, which is not there" in sentence(settings)


def test_two_landings_do_not_share_what_is_unpacked(settings, landing, tmp_path, plain):
    pack(landing)
    other = replace(settings, landing=tmp_path / "other")
    other.landing.mkdir()
    (other.landing / f"{ORDERS.file}.gz").write_bytes(gzip.compress(b"order_id\n"))
    assert readable_landing(other, [ORDERS]) != readable_landing(settings, [ORDERS])
    assert read_text(path_of(readable_landing(settings, [ORDERS]), ORDERS), ORDERS).rows.height == plain.height


def test_what_the_system_refuses_of_one_file_is_said_of_it_alone(settings, landing):
    """It refuses a link to a name that is too long like one to where one has no right to look, and root, too."""
    path = landing / ORDERS.file
    assert state_of(landing, ORDERS) == size_and_time(path)
    path.unlink()
    path.symlink_to("x" * 300)
    assert state_of(landing, ORDERS) is None
    assert unread_form(landing, ORDERS) == ""
    orders, *others = inspect_landing(settings, LANDING.values())
    assert "cannot be read: File name too long" in orders.problem
    assert str(path) in orders.problem
    assert not any("too long" in other.problem for other in others)


def test_a_table_as_parquet_goes_into_the_folder_of_its_parts(settings, landing):
    (landing / ORDERS.file).rename(landing / "olist_orders_dataset.parquet")
    with pytest.raises(OlistError, match=r"put it into the folder olist_orders_dataset, as a part\.$"):
        path_of(landing, ORDERS)
