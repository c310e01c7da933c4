"""`olist run` before it runs: the landing that it makes, and the one that it leaves alone."""

import io
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

from olist_pipeline.cli import run
from olist_pipeline.errors import OlistError
from olist_pipeline.registry import LANDING
from olist_pipeline.serving import identity
from olist_pipeline.settings import Settings


@pytest.fixture(autouse=True)
def few_orders(monkeypatch):
    monkeypatch.setattr(run, "SYNTHETIC_ORDERS", 20)


def fill(home, landing=None):
    settings = Settings(home, landing or home / "landing", None)
    run._fill_empty_landing(settings, Console(file=io.StringIO()))
    return {path.name for path in settings.landing.glob("*")} if settings.landing.is_dir() else set()


FILES = {table.file for table in LANDING.values()}


def test_the_own_landing_is_made(tmp_path):
    assert fill(tmp_path) == FILES


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "data").mkdir()
    assert fill(tmp_path, tmp_path / "data") == FILES


def test_a_folder_that_was_emptied_after_a_release_is_not_filled(tmp_path, monkeypatch):
    """A disk that is not mounted must not put invented orders before the dashboards' readers."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(run, "last_readable", lambda _: SimpleNamespace(number=3))
    with pytest.raises(OlistError, match="is empty, and release 3 was made of files there"):
        fill(tmp_path, tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
    assert fill(tmp_path) == FILES


def test_a_folder_with_anything_in_it_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("mine")
    assert fill(tmp_path, tmp_path / "data") == {"notes.txt"}


def test_a_folder_of_a_person_that_is_not_there_is_not_made(tmp_path):
    assert fill(tmp_path, tmp_path / "mistyped") == set()
    assert not (tmp_path / "mistyped").exists()


def test_what_a_killed_generator_left_is_no_set(tmp_path):
    (tmp_path / "landing" / ".generating-0123").mkdir(parents=True)
    assert fill(tmp_path) == FILES


def test_a_killed_generator_costs_nobody_their_files(tmp_path):
    (tmp_path / "landing" / ".generating-0123").mkdir(parents=True)
    (tmp_path / "landing" / "olist_orders_dataset.csv").write_text("mine")
    assert fill(tmp_path) == {"olist_orders_dataset.csv"}
    assert (tmp_path / "landing" / "olist_orders_dataset.csv").read_text() == "mine"


def test_files_of_another_warehouse_are_not_taken_for_a_missing_one(tmp_path):
    """Whoever has forgotten OLIST_MIGRATION is asked for files that they never had."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rides.csv").write_text("ride_id\nr1\n")
    settings = Settings(tmp_path, tmp_path / "data", None)
    with pytest.raises(OlistError, match=r"is missing in .*rides.csv is of another warehouse, set OLIST_MIGRATION"):
        run.check_landing(settings)
    first, *_ = LANDING.values()
    (tmp_path / "data" / first.file).write_text(",".join(first.record.model_fields) + "\n")
    with pytest.raises(OlistError) as refused:
        run.check_landing(settings)
    assert "is missing in" in str(refused.value)
    assert "OLIST_MIGRATION" not in str(refused.value)


@pytest.mark.parametrize(
    ("routes", "tables", "is_refused"),
    [
        ({"riding": "shadow"}, {"ride_list": None}, True),
        ({"riding": "shadow"}, {"ride_list": None, "fact_orders": None}, False),
        ({"sales": "retired"}, {}, False),
    ],
)
def test_a_home_serves_one_warehouse(tmp_path, monkeypatch, routes, tables, is_refused):
    """A shell without its OLIST_MIGRATION must not put this repository's orders before other dashboards' readers."""
    settings = Settings(tmp_path, tmp_path / "data", None)
    monkeypatch.setattr(identity, "last_readable", lambda _: SimpleNamespace(routes=routes, tables=tables))
    if not is_refused:
        identity.refuse_another_warehouse(settings)
        return
    with pytest.raises(OlistError, match=r"serves another warehouse \(ride_list\)"):
        identity.refuse_another_warehouse(settings)
    assert _is_refused_by_run(settings, monkeypatch)


def _is_refused_by_run(settings, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    monkeypatch.delenv("OLIST_DATA_DIR", raising=False)
    result = CliRunner().invoke(run.run, [])
    return "serves another warehouse" in str(result.exception) and not (settings.home / "landing").exists()
