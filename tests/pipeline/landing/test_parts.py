"""A table in parts is the table in one file, each part is read once, and quarantine says where a row stands."""

import gzip
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import jinja2
import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing
from olist_pipeline.intake import parts as intake_parts
from olist_pipeline.intake.cast import cast_rows
from olist_pipeline.intake.parts import remove_other_parts
from olist_pipeline.intake.places import SOURCE_FILE, place_of
from olist_pipeline.intake.rows import ingest
from olist_pipeline.intake.span import dated_span
from olist_pipeline.landing.catalogue import CUSTOMERS, ORDER_ITEMS, ORDERS, PRODUCTS, SELLERS
from olist_pipeline.landing.csv_file import read_text
from olist_pipeline.landing.folder import files_of, readable_landing, state_of
from olist_pipeline.landing.inspection import inspect_landing
from olist_pipeline.landing.parts import KEPT, folder_name
from olist_pipeline.near import visible_name
from olist_pipeline.orchestration.changes import landing_content, unfinished
from olist_pipeline.orchestration.dbt_projects import environment_of
from olist_pipeline.parity.reconciliation import intake_reconciliation_of, landing_relation
from olist_pipeline.provenance import landing_hashes
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import DBT_DIR, Settings
from olist_pipeline.steps import run_intake
from olist_pipeline.stores import quarantine
from olist_pipeline.synthetic import generate
from tests.pipeline.intake.test_bad_input import MONTHS

TABLES = (ORDERS, ORDER_ITEMS, CUSTOMERS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A landing in which records come twice, some are broken, and some items have no order."""
    folder = tmp_path_factory.mktemp("whole") / "landing"
    generate(folder, orders=60, seed=5)
    for table in TABLES:
        lines = (folder / table.file).read_text("utf-8").splitlines(keepends=True)
        lines += [lines[-1], lines[2].replace(",", ",x", 1), "half a record\n", lines[1]]
        (folder / table.file).write_text("".join(lines), "utf-8")
    return folder


def cut(landing, folder, table, places, ending=lambda number: ".csv"):
    """Write a table's file as parts, cut before these records."""
    header, *records = (landing / table.file).read_text("utf-8").splitlines(keepends=True)
    (folder / folder_name(table)).mkdir(parents=True, exist_ok=True)
    borders = [0, *sorted({place % (len(records) + 1) for place in places}), len(records)]
    for number, (first, last) in enumerate(pairwise(borders)):
        text = "".join([header, *records[first:last]])
        path = folder / folder_name(table) / f"{number:02d}{ending(number)}"
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def in_parts(whole, tmp_path, places=(10, 40), **more):
    """Return settings over a landing whose tables are in parts."""
    for table in TABLES:
        cut(whole, tmp_path / "landing", table, places, **more)
    return Settings(tmp_path / "home", tmp_path / "landing", None)


def intake(settings, table):
    orders = ingest(ORDERS, readable_landing(settings, TABLES), MONTHS) if table.parent else None
    return ingest(table, readable_landing(settings, TABLES), MONTHS, orders)


@hypothesis_settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.integers(1, 40), max_size=4), seed=st.integers(0, 9))
def test_parts_are_the_whole(whole, tmp_path_factory, places, seed):
    """Wherever it is cut, and whatever is packed: the same rows, numbers, rules and texts, also when read again."""
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("parts")
    settings = in_parts(whole, folder, places, ending=lambda number: chance.choice([".csv", ".csv.gz"]))
    plain = Settings(folder / "plain", whole, None)
    for table in TABLES:
        expected = intake(plain, table)
        assert set(filter(None, expected["rules"].to_list())) >= {"MALFORMED_ROW"}
        for _ in range(2):
            assert intake(settings, table).drop(SOURCE_FILE).sort("source_row").equals(expected.sort("source_row"))
    today = date(2018, 12, 1)
    assert dated_span(readable_landing(settings, TABLES), ORDERS, today) == dated_span(whole, ORDERS, today)


def test_duplicates_and_parents_are_found_over_all_parts(whole, tmp_path):
    settings = in_parts(whole, tmp_path, (30,))
    rules = intake(settings, ORDERS).group_by("rules").agg(pl.col(SOURCE_FILE).n_unique())
    assert dict(rules.rows())["DUPLICATE_KEY"] == 2, "a key in two parts"
    header, first, *_ = (whole / ORDER_ITEMS.file).read_text("utf-8").splitlines(keepends=True)
    own = tmp_path / "landing" / folder_name(ORDER_ITEMS) / "99.csv"
    own.write_text(header + first.replace(first.split(",")[0], "nobodys"), "utf-8")
    assert intake(settings, ORDER_ITEMS)["rules"].to_list().count("ORPHAN_ORDER_ITEMS") == 1


def test_a_part_of_parquet_is_read_as_its_text(whole, tmp_path):
    cut(whole, tmp_path / "landing", ORDER_ITEMS, ())
    text = read_text(tmp_path / "landing" / folder_name(ORDER_ITEMS) / "00.csv", ORDER_ITEMS).rows
    typed = cast_rows(text, ORDER_ITEMS.record).filter(pl.col("rules") == "").drop("rules", "source_row")
    for number, frame in enumerate((typed, typed.with_columns(pl.lit(1.25).alias("price")))):
        folder = tmp_path / str(number) / folder_name(ORDER_ITEMS)
        folder.mkdir(parents=True)
        frame.write_parquet(folder / "0.parquet")
        settings = Settings(tmp_path / "home", folder.parent, None)
        rows = ingest(ORDER_ITEMS, readable_landing(settings, [ORDER_ITEMS]), MONTHS).filter(pl.col("rules") == "")
        expected = frame.with_columns(pl.col("price").cast(pl.Decimal(18, 2)))
        keys = ["order_id", "order_item_id"]
        unique = expected.filter(~pl.struct(keys).is_duplicated())
        assert rows.select(expected.columns).equals(unique)


SELLERS_HEADER = ",".join(SELLERS.columns) + "\n"


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        ("2.csv", b'x,"\n', "2.csv has a quote that never closes in line 2"),
        ("2.csv.gz", b'x,"\n', "2.csv.gz has a quote that never closes in line 2"),
        ("2.csv.gz", b"x,\0\n", "2.csv.gz has a NUL byte in line 2"),
        ("2.parquet", b"x,y\n", "2.parquet cannot be read as Parquet: it is no Parquet file; give it the ending"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_of_the_file_that_landed(tmp_path, part, content, words):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    (folder / "1.csv").write_text(SELLERS_HEADER)
    content = SELLERS_HEADER.encode() + content
    (folder / part).write_bytes(gzip.compress(content) if part.endswith(".gz") else content)
    settings = Settings(tmp_path / "home", folder.parent, None)
    with pytest.raises(OlistError, match=f"^{folder_name(SELLERS)}/{words}"):
        ingest(SELLERS, readable_landing(settings, [SELLERS]), MONTHS)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"", "1.csv is empty; take it away where it has no rows, else replace it"),
        (SELLERS_HEADER.encode("utf-16"), "1.csv is UTF-16; convert it first"),
        (b"a,b\n", f"2.csv has the header '{SELLERS_HEADER.strip()}', and 1.csv has 'a,b'"),
    ],
)
def test_a_part_that_is_no_csv_is_not_spoken_of_as_of_other_columns(tmp_path, first, words):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    (folder / "1.csv").write_bytes(first)
    (folder / "2.csv").write_text(SELLERS_HEADER)
    with pytest.raises(OlistError, match=f"^{folder_name(SELLERS)}/{words}"):
        readable_landing(Settings(tmp_path / "home", folder.parent, None), [SELLERS])


def test_whole_numbers_that_pandas_made_fractions_are_read(tmp_path):
    """It has no missing whole number: a column with one becomes fractions, in CSV and in Parquet alike."""
    folder = tmp_path / "landing" / folder_name(PRODUCTS)
    folder.mkdir(parents=True)
    measures = {name: [40.0, None] for name in PRODUCTS.columns[2:]}
    pl.DataFrame({"product_id": ["p1", "p2"], "product_category_name": ["a", None], **measures}).write_parquet(
        folder / "1.parquet"
    )
    settings = Settings(tmp_path / "home", folder.parent, None)
    rows = ingest(PRODUCTS, readable_landing(settings, [PRODUCTS]), MONTHS)
    assert rows["rules"].to_list() == ["", ""]
    assert rows["product_weight_g"].to_list() == [40, None]
    assert place_of(rows[SOURCE_FILE][1], rows["source_row"][1]) == (f"{folder_name(PRODUCTS)}/1.parquet", 2)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("2.csv", lambda path: path.symlink_to("gone"), "links to gone, which is not there; mend the link"),
        ("2.parquet", Path.mkdir, "is a folder; put its files beside the other parts"),
        ("_temporary", Path.mkdir, "is a folder; where a program is still writing parts, wait for its end"),
        (
            "part-00000",
            Path.touch,
            "is no part of sellers: parts are files that end in .csv, .csv.gz or .parquet; give it its ending",
        ),
        ("2.csv", os.mkfifo, "is a pipe or a device; put a file in its place"),
        ("2.CSV", Path.touch, "is no part of sellers: parts are files that end in .csv"),
        ("2.csv ", Path.touch, "is no part of sellers"),
    ],
)
def test_what_stands_in_the_place_of_a_part_is_said(tmp_path, name, make, words):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    (folder / "1.csv").write_text(SELLERS_HEADER)
    (folder / "_SUCCESS").touch()
    settings = Settings(tmp_path / "home", tmp_path / "landing", None)
    assert len(files_of(readable_landing(settings, [SELLERS]), SELLERS)) == 1, "Spark's mark is no part"
    make(folder / name)
    with pytest.raises(OlistError, match=f"^{visible_name(f'{folder_name(SELLERS)}/{name}')} {words}"):
        readable_landing(settings, [SELLERS])


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\udce9b", "é" * 99])
def test_a_part_that_not_every_reader_could_open_is_refused(tmp_path, name):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    (folder / f"{name}.csv").touch()
    with pytest.raises(
        OlistError, match=r"has the part '.*', which not every reader could open: give it a name"
    ) as said:
        readable_landing(Settings(tmp_path / "home", tmp_path / "landing", None), [SELLERS])
    assert "\n" not in str(said.value)


def test_parquet_parts_are_made_anew_by_other_code(tmp_path, monkeypatch):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    pl.DataFrame({"seller_id": ["s"]}).write_parquet(folder / "1.parquet")
    settings = Settings(tmp_path / "home", tmp_path / "landing", None)
    made = readable_landing(settings, [SELLERS]) / folder_name(SELLERS) / "1.csv"
    before = made.stat().st_ino, made.stat().st_ctime_ns
    readable_landing(settings, [SELLERS])
    assert (made.stat().st_ino, made.stat().st_ctime_ns) == before
    monkeypatch.setattr("olist_pipeline.migration.code.own_python_hash", lambda: "another")
    readable_landing(settings, [SELLERS])
    assert (made.stat().st_ino, made.stat().st_ctime_ns) != before


@pytest.mark.parametrize("error", [pl.exceptions.PanicException, pl.exceptions.ComputeError, OSError])
def test_whatever_polars_raises_at_a_part_is_a_sentence(tmp_path, monkeypatch, error):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    pl.DataFrame({"seller_id": ["s"]}).write_parquet(folder / "1.parquet")

    def refusing(*_, **__):
        raise error("No space left on device (os error 28)")

    monkeypatch.setattr(pl, "scan_parquet", refusing)
    with pytest.raises(OlistError, match=r"cannot be read: No space left on device.*(write it again|free space)"):
        readable_landing(Settings(tmp_path / "home", tmp_path / "landing", None), [SELLERS])


@pytest.mark.parametrize(("ending", "module", "name"), [(".parquet", pl, "scan_parquet"), (".csv.gz", gzip, "open")])
def test_a_packed_part_that_is_changed_while_it_is_read_is_not_taken(tmp_path, monkeypatch, ending, module, name):
    """Parquet is read several times: rows of both would stand beside each other."""
    part = tmp_path / "landing" / folder_name(SELLERS) / f"1{ending}"
    part.parent.mkdir(parents=True)
    pl.DataFrame(schema=dict.fromkeys(SELLERS.columns, pl.String)).write_parquet(part)
    if ending == ".csv.gz":
        part.write_bytes(gzip.compress(SELLERS_HEADER.encode()))
    opened = getattr(module, name)

    def opened_during_an_upload(*arguments, **options):
        os.utime(part)
        return opened(*arguments, **options)

    monkeypatch.setattr(module, name, opened_during_an_upload)
    with pytest.raises(OlistError, match=rf"1{ending} was changed while it was read; run again"):
        readable_landing(Settings(tmp_path / "home", tmp_path / "landing", None), [SELLERS])
    assert not list((tmp_path / "home").rglob("1.csv"))


def test_parts_whose_first_lines_are_endless_are_not_read_to_their_ends(tmp_path):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    for number in (1, 2):
        (folder / f"{number}.csv").write_bytes(b"x" * (3 << 20) + b"%d" % number)
    settings = Settings(tmp_path / "home", tmp_path / "landing", None)
    with pytest.raises(OlistError, match=r"1.csv has a record of more than 1,000,000 bytes in line 1"):
        ingest(SELLERS, readable_landing(settings, [SELLERS]), MONTHS)


class TestReadingOnce:
    @pytest.fixture
    def read(self, monkeypatch):
        """The names of the parts that were read."""
        names = []

        def reading(path, table, window):
            names.append(path.name)
            return read_text(path, table, window)

        monkeypatch.setattr(intake_parts, "read_text", reading)
        return names

    def test_a_part_that_was_read_is_not_read_again(self, whole, tmp_path, read):
        settings = in_parts(whole, tmp_path)
        before = intake(settings, ORDERS)
        assert read == ["00.csv", "01.csv", "02.csv"]
        folder = tmp_path / "landing" / folder_name(ORDERS)
        header = (whole / ORDERS.file).read_text("utf-8").splitlines(keepends=True)[0]
        (folder / "03.csv").write_text(header + "o9,c9,created,2018-01-24 20:41:37,,,,2018-02-13 00:00:00\n", "utf-8")
        after = intake(settings, ORDERS)
        assert read[3:] == ["03.csv"]
        assert after.height == before.height + 1
        assert after.filter(pl.col("source_row").is_in(before["source_row"].implode())).equals(before)

    def test_one_that_changed_is_and_one_that_went_is_forgotten(self, whole, tmp_path, read):
        settings = in_parts(whole, tmp_path)
        intake(settings, ORDERS)
        folder = tmp_path / "landing" / folder_name(ORDERS)
        (folder / "00.csv").unlink()
        text = (folder / "01.csv").read_text("utf-8")
        (folder / "01.csv").write_text("".join(text.splitlines(keepends=True)[:-1]), "utf-8")
        rows = intake(settings, ORDERS)
        assert read[3:] == ["01.csv"]
        assert rows["source_row"].min() == 1
        kept = readable_landing(settings, [ORDERS]) / folder_name(ORDERS) / KEPT
        assert len({path.name.partition("-")[0] for path in kept.glob("*.parquet")}) == 2

    @pytest.mark.parametrize("kept_as", ["rows.parquet", "text.parquet", "json"])
    @pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(bytes(path.stat().st_size))])
    def test_one_that_is_not_kept_whole_is_read_again(self, whole, tmp_path, read, kept_as, damage):
        settings = in_parts(whole, tmp_path)
        before = intake(settings, ORDERS)
        kept = readable_landing(settings, [ORDERS]) / folder_name(ORDERS) / KEPT
        damage(next(kept.glob(f"*-*.{kept_as}")))
        assert intake(settings, ORDERS).equals(before)
        assert len(read) == 4

    def test_nothing_is_kept_of_one_that_is_replaced_meanwhile(self, whole, tmp_path, monkeypatch):
        settings = in_parts(whole, tmp_path)
        part = tmp_path / "landing" / folder_name(ORDERS) / "00.csv"
        before = part.read_bytes()

        def replaced(path, table, window):
            if path.name == part.name:
                part.write_bytes(before + b"another\n")
            return read_text(path, table, window)

        monkeypatch.setattr(intake_parts, "read_text", replaced)
        with pytest.raises(OlistError, match=r"00.csv was changed while it was read; run again"):
            intake(settings, ORDERS)
        part.write_bytes(before)
        monkeypatch.setattr(intake_parts, "read_text", read_text)
        assert intake(settings, ORDERS).drop(SOURCE_FILE).height == intake(settings, ORDERS).height
        assert "another" not in str(intake(settings, ORDERS)["payload"].to_list())

    @pytest.mark.parametrize("ingested", [ingest, lambda table, landing, _: dated_span(landing, table, MONTHS.last)])
    def test_one_that_is_replaced_once_it_was_read_is_a_sentence(self, whole, tmp_path, monkeypatch, ingested):
        settings = in_parts(whole, tmp_path)
        landing = readable_landing(settings, TABLES)
        part = tmp_path / "landing" / folder_name(ORDERS) / "01.csv"

        def replaced(files):
            remove_other_parts(files)
            part.write_bytes(part.read_bytes() + b"another\n")

        monkeypatch.setattr(intake_parts, "remove_other_parts", replaced)
        with pytest.raises(OlistError, match=r"01.csv was changed while it was read; run again"):
            ingested(ORDERS, landing, MONTHS)

    def test_one_that_went_meanwhile_is_a_sentence(self, whole, tmp_path):
        settings = in_parts(whole, tmp_path)
        landing = readable_landing(settings, TABLES)
        (tmp_path / "landing" / folder_name(ORDERS) / "01.csv").unlink()
        with pytest.raises(OlistError, match=r"01.csv cannot be read: No such file or directory"):
            ingest(ORDERS, landing, MONTHS)

    def test_several_may_read_it_at_a_time(self, whole, tmp_path):
        """dbt and intake begin side by side, and both ask for the parts."""
        settings = in_parts(whole, tmp_path)
        with ThreadPoolExecutor(6) as side_by_side:
            found = list(side_by_side.map(lambda _: intake(settings, ORDERS), range(6)))
        assert all(rows.equals(found[0]) for rows in found)
        kept = readable_landing(settings, [ORDERS]) / folder_name(ORDERS) / KEPT
        left, recent = kept / ".left.tmp", kept / ".recent.tmp"
        left.touch()
        os.utime(left, (1, 1))
        recent.touch()
        intake(settings, ORDERS)
        assert (left.exists(), recent.exists()) == (False, True)

    def test_its_bytes_are_hashed_once(self, whole, tmp_path, monkeypatch):
        settings = in_parts(whole, tmp_path)
        first = landing_hashes(settings, [ORDERS.name])
        monkeypatch.setattr("olist_pipeline.landing.parts.content_hash", lambda path: pytest.fail("read again"))
        assert landing_hashes(settings, [ORDERS.name]) == first


def test_what_another_process_is_unpacking_stays(whole, tmp_path):
    landing = in_parts(whole, tmp_path, ending=lambda number: ".csv.gz")
    [first, *_] = files_of(readable_landing(landing, [ORDERS]), ORDERS)
    with replacing(first) as theirs:
        theirs.write_bytes(b"half of it")
        readable_landing(landing, [ORDERS])
        assert theirs.read_bytes() == b"half of it"


def test_the_hash_of_a_table_is_of_its_parts_and_their_names(whole, tmp_path):
    settings = in_parts(whole, tmp_path)
    seen = {landing_hashes(settings, [ORDERS.name])[ORDERS.name]}
    folder = tmp_path / "landing" / folder_name(ORDERS)
    (folder / "02.csv").rename(folder / "03.csv")
    seen.add(landing_hashes(settings, [ORDERS.name])[ORDERS.name])
    os.utime(folder / "03.csv", (1, 1))
    assert landing_hashes(settings, [ORDERS.name])[ORDERS.name] in seen
    (folder / "00.csv").unlink()
    assert landing_hashes(settings, [ORDERS.name])[ORDERS.name] not in seen
    assert len(seen) == 2


def test_a_part_that_is_rewritten_in_its_place_is_read_again(whole, tmp_path):
    """As `rsync --inplace --times` does: its size, its time of writing and its inode are those of before."""
    settings = in_parts(whole, tmp_path)
    before, part = landing_hashes(settings, [ORDERS.name]), tmp_path / "landing" / folder_name(ORDERS) / "00.csv"
    status = part.stat()
    with part.open("r+b") as file:
        text = file.read()
        file.seek(0)
        file.write(text.swapcase())
    os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (part.stat().st_size, part.stat().st_ino) == (status.st_size, status.st_ino)
    assert landing_hashes(settings, [ORDERS.name]) != before


def test_a_table_may_be_put_together_again(whole, tmp_path):
    settings = in_parts(whole, tmp_path)
    assert state_of(settings.landing, ORDERS) != state_of(settings.landing, CUSTOMERS)
    before = intake(settings, ORDERS).drop(SOURCE_FILE)
    for path in (tmp_path / "landing" / folder_name(ORDERS)).iterdir():
        path.unlink()
    (tmp_path / "landing" / folder_name(ORDERS)).rmdir()
    (tmp_path / "landing" / ORDERS.file).write_bytes((whole / ORDERS.file).read_bytes())
    assert [path.name for path in files_of(readable_landing(settings, TABLES), ORDERS)] == [ORDERS.file]
    assert intake(settings, ORDERS).equals(before.select(intake(settings, ORDERS).columns))


def test_the_second_reader_and_dbt_read_the_same_records(whole, tmp_path):
    settings = in_parts(whole, tmp_path, ending=lambda number: [".csv", ".csv.gz"][number % 2])
    landing = readable_landing(settings, LANDING.values())
    variables = environment_of(settings, "old", landing, date(2018, 10, 17))
    assert variables["OLIST_LANDING_PARTS"].split(",") == ["orders", "order_items", "customers"]
    for table in TABLES:
        columns, expected = ", ".join(table.columns), landing_relation(files_of(landing, table), table)
        with duckdb.connect() as connection:
            rows = connection.execute(f"SELECT {columns} FROM {expected}").fetchall()
            found = connection.execute(f"FROM {duckdb_source(table.name, variables)}").fetchall()
        assert sorted(map(str, found)) == sorted(map(str, rows))
        assert len(rows) == intake(settings, table).height


def duckdb_source(name, variables):
    """Return the relation that dbt reads of a landing table, as sources.yml says it."""
    source = yaml.safe_load((DBT_DIR / "models" / "old" / "sources.yml").read_text("utf-8"))["sources"][0]
    [table] = [table for table in source["tables"] if table["name"] == name]
    meta = {**source["config"]["meta"], **table["config"]["meta"]}
    target = {"name": "old"}
    environment = jinja2.Environment()
    rendered = {
        key: environment.from_string(str(value)).render(
            target=target, env_var=lambda name, default: variables.get(name, default)
        )
        for key, value in meta.items()
    }
    return rendered["external_location"].format(**{**rendered, "name": name})


def test_quarantine_says_the_part_and_the_row_in_it(whole, tmp_path, settings):
    settings = replace(settings, landing=in_parts(whole, tmp_path / "own", (10,)).landing)
    report = run_intake(settings, settings.postgres_url, ORDERS, date(2018, 12, 1), "r1")
    assert report.landing_hash == landing_hashes(settings, [ORDERS.name])[ORDERS.name]
    found = quarantine.find(settings.postgres_url, table="orders", rule="MALFORMED_ROW", aggregate_id=None, limit=9)
    lines = (settings.landing / folder_name(ORDERS) / "01.csv").read_text("utf-8").splitlines()
    for row in found:
        file, number = place_of(row["source_file"], row["source_row"])
        assert file == f"{folder_name(ORDERS)}/01.csv"
        assert lines[number] == row["payload"]["text"]
    assert json.dumps(found[0]["rules"]) == '["MALFORMED_ROW"]'
    assert intake_reconciliation_of(settings, ORDERS).holds
    assert place_of("olist_orders_dataset.csv", 7) == ("olist_orders_dataset.csv", 7)


def test_sensors_and_checks_see_parts(whole, tmp_path):
    settings = in_parts(whole, tmp_path)
    landing = readable_landing(settings, TABLES)
    [report] = inspect_landing(settings, [ORDERS])
    assert (report.file, report.problem) == (f"{folder_name(ORDERS)}/", "")
    assert report.remark.startswith("3 parts; ")
    assert report.rows == intake(settings, ORDERS).height
    assert unfinished(landing, ORDERS) == ""
    part = tmp_path / "landing" / folder_name(ORDERS) / "02.csv"
    part.write_text(part.read_text("utf-8") + "o9,c9,created,2018-01-24 20:41:37,,,,2018-02", "utf-8")
    assert "02.csv ends inside a record" in unfinished(readable_landing(settings, TABLES), ORDERS)
    for table in LANDING.values():
        if table not in TABLES:
            (settings.landing / table.file).write_bytes((whole / table.file).read_bytes())
    content = landing_content(readable_landing(settings, LANDING.values()), date(2018, 12, 1), tmp_path / "look")
    assert content["customers"]["whole"] == landing_hashes(settings, ["customers"])["customers"]


def test_a_column_that_no_cell_can_say_is_left_out_where_no_record_has_it(tmp_path):
    folder = tmp_path / "landing" / folder_name(SELLERS)
    folder.mkdir(parents=True)
    row = dict.fromkeys(SELLERS.columns, "x")
    pl.DataFrame({**row, "tags": [["new"]]}).write_parquet(folder / "1.parquet")
    landing = readable_landing(Settings(tmp_path / "home", folder.parent, None), [SELLERS])
    assert read_text(landing / folder_name(SELLERS) / "1.csv", SELLERS).rows.height == 1
