"""The files: names, columns, quoting, line ends, and that nobody sees half a set."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.synthetic import finish_killed, generate, writer

from .synthetic_sets import FILES, Tables, read

HEADERS = {
    "orders": '"order_id","customer_id","order_status","order_purchase_timestamp","order_approved_at",'
    '"order_delivered_carrier_date","order_delivered_customer_date","order_estimated_delivery_date"\n',
    "items": '"order_id","order_item_id","product_id","seller_id","shipping_limit_date","price","freight_value"\n',
    "payments": '"order_id","payment_sequential","payment_type","payment_installments","payment_value"\n',
    "reviews": '"review_id","order_id","review_score","review_comment_title","review_comment_message",'
    '"review_creation_date","review_answer_timestamp"\r\n',
    "customers": '"customer_id","customer_unique_id","customer_zip_code_prefix","customer_city","customer_state"\n',
    "sellers": '"seller_id","seller_zip_code_prefix","seller_city","seller_state"\n',
    "products": '"product_id","product_category_name","product_name_lenght","product_description_lenght",'
    '"product_photos_qty","product_weight_g","product_length_cm","product_height_cm","product_width_cm"\n',
    "geolocation": '"geolocation_zip_code_prefix","geolocation_lat","geolocation_lng","geolocation_city",'
    '"geolocation_state"\n',
    "translation": "\ufeffproduct_category_name,product_category_name_english\r\n",
}


@pytest.mark.parametrize("table", FILES)
def test_header_is_the_real_one(folder: Path, table: str) -> None:
    with (folder / FILES[table]).open(encoding="utf-8", newline="") as file:
        assert file.readline() == HEADERS[table]


def test_line_ends_are_the_real_ones(folder: Path) -> None:
    for table, file in FILES.items():
        content = (folder / file).read_bytes()
        windows = table in {"reviews", "translation"}
        assert content.count(b"\r\n") == (content.count(b"\n") if windows else 0), table
        assert content.endswith(b"\n")


def test_texts_that_begin_with_a_digit_are_quoted_and_others_are_not(folder: Path) -> None:
    lines = (folder / FILES["customers"]).read_text().splitlines()[1:]
    row = re.compile(
        r'("\d[0-9a-f]{31}"|[a-f][0-9a-f]{31}),("\d[0-9a-f]{31}"|[a-f][0-9a-f]{31}),"\d{5}",[^"]+,[A-Z]{2}'
    )
    assert all(row.fullmatch(line) for line in lines)
    assert len({line[0] == '"' for line in lines}) == 2


def test_money_has_two_decimals(tables: Tables) -> None:
    for table, column in (("items", "price"), ("items", "freight_value"), ("payments", "payment_value")):
        assert tables[table][column].str.contains(r"^\d+\.\d\d$").all()


def test_rows_are_counted(tmp_path: Path) -> None:
    rows = generate(tmp_path, orders=300, seed=1)
    assert rows == {FILES[table]: len(frame) for table, frame in read(tmp_path).items()}
    assert list(rows) == list(FILES.values())


@pytest.mark.parametrize("orders", [1, 2, 3, 1000])
def test_as_many_orders_as_asked_for(tmp_path: Path, orders: int) -> None:
    assert generate(tmp_path, orders=orders, seed=4)[FILES["orders"]] == orders


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        generate(tmp_path / name, orders=1500, seed=5)
    for file in FILES.values():
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_seed_gives_another_set(tmp_path: Path) -> None:
    for seed in (5, 6):
        generate(tmp_path / str(seed), orders=100, seed=seed)
    for table, file in FILES.items():
        same = (tmp_path / "5" / file).read_bytes() == (tmp_path / "6" / file).read_bytes()
        assert same == (table == "translation"), table


def test_bytes_are_the_same_on_every_machine(tmp_path: Path) -> None:
    """Changes only with the shapes, or with another version of numpy or polars: then pin the new sum."""
    generate(tmp_path, orders=2000, seed=42)
    digest = hashlib.sha256(b"".join((tmp_path / file).read_bytes() for file in FILES.values())).hexdigest()
    assert digest == "ca67d2151ef9cbb02196fc1a1abdaeae6a0c2cebabfa4225a3b7b5fd5112fce5"


def test_folder_is_created_and_left_clean(tmp_path: Path) -> None:
    generate(tmp_path / "deep" / "landing", orders=10, seed=0)
    assert {path.name for path in (tmp_path / "deep" / "landing").iterdir()} == set(FILES.values())


def test_progress_adds_up(tmp_path: Path) -> None:
    steps: list[int] = []
    generate(tmp_path, orders=777, seed=0, progress=steps.append)
    assert sum(steps) == 777


def test_earlier_set_survives_a_failure(tmp_path: Path) -> None:
    generate(tmp_path, orders=20, seed=0)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, orders=30, seed=1, progress=stop)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


class Killed(BaseException):
    """What ends a process at once: nothing of it is done any more, not even what an error would have undone."""


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Have the process end before its change `number` of names, from 0 on."""
    real = {name: getattr(Path, name) for name in ("rename", "unlink")}
    done: list[str] = []

    def change(name: str, path: Path, *others: object, **options: object) -> object:
        if len(done) == number:
            raise Killed
        done.append(name)
        return real[name](path, *others, **options)

    for name in real:
        monkeypatch.setattr(Path, name, partialmethod_of(change, name))
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)


def partialmethod_of(change: Callable[..., object], name: str) -> Callable[..., object]:
    return lambda path, *others, **options: change(name, path, *others, **options)


@pytest.mark.parametrize("number", [0, 1, 5, 10, 14, 18])
def test_of_two_sets_there_are_never_files_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """One rename, nine files that go, nine that come: whenever it is killed, the next one finishes it."""
    sets = []
    for name, seed in (("first", 5), ("second", 6)):
        generate(tmp_path / name, orders=60, seed=seed)
        sets.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    out = tmp_path / "first"

    def left() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in out.glob("*.csv")}

    with monkeypatch.context() as patch:
        kill_at(patch, number)
        with pytest.raises(Killed):
            generate(out, orders=60, seed=6)
    assert any(left().items() <= whole.items() for whole in sets)
    finish_killed(out)
    assert left() == sets[0 if number == 0 else 1]
    assert not list(out.glob(".*"))


def test_what_a_living_generator_makes_is_left_to_it(tmp_path: Path) -> None:
    """A run beside it said that files are missing, and that they are in the folder of the half set; two sets mixed."""
    with writer.FileSet(tmp_path):
        for act in (finish_killed, lambda out: generate(out, orders=1, seed=1)):
            with pytest.raises(OlistError, match="Another command is generating a set in"):
                act(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("orders", [0, -3])
def test_no_orders_is_refused(tmp_path: Path, orders: int) -> None:
    with pytest.raises(OlistError, match=rf"at least 1 order, but {orders} were asked for"):
        generate(tmp_path / "new", orders=orders, seed=1)
    assert not (tmp_path / "new").exists()


def test_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OlistError, match="seed -1 is negative"):
        generate(tmp_path, orders=1, seed=-1)


@pytest.mark.parametrize("below", ["", "landing"])
def test_a_file_in_the_way_is_refused(tmp_path: Path, below: str) -> None:
    file = tmp_path / "landing.txt"
    file.write_text("mine")
    with pytest.raises(OlistError, match=r"cannot be written to .*landing\.txt.*; move away what stands there"):
        generate(file / below, orders=1, seed=1)
    assert file.read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_refused_before_any_is_replaced(tmp_path: Path) -> None:
    (tmp_path / writer.TRANSLATION).mkdir()
    (tmp_path / writer.ORDERS).write_text("mine")
    with pytest.raises(OlistError, match=rf"Is a directory \(.*{writer.TRANSLATION}\); move away"):
        generate(tmp_path, orders=1, seed=1)
    assert (tmp_path / writer.ORDERS).read_text() == "mine"


@pytest.mark.parametrize("said", [(28, "No space left on device"), ("No space left on device (os error 28)",)])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: tuple[object, ...]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(*said)

    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    with pytest.raises(OlistError, match="No space left on device"):
        generate(tmp_path, orders=1, seed=1)
    assert not list(tmp_path.iterdir())


def test_quotes_and_line_breaks_survive_reading(tmp_path: Path) -> None:
    text = 'a "b", c\r\nd'
    frame = pl.DataFrame({"product_category_name": [text, "1x", None], "product_category_name_english": ["", "x", "y"]})
    with writer.FileSet(tmp_path) as files:
        files.append(writer.TRANSLATION, frame)
    written = pl.read_csv(tmp_path / writer.TRANSLATION)
    assert written["product_category_name"].to_list() == [text, "1x", None]
