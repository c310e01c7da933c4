"""Landing at an address: what has changed is copied, and nothing else; the last tests ask an S3 server."""

import json
from datetime import date

import fsspec
import polars as pl
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.landing import fetched
from olist_pipeline.landing.fetched import fetch_landing
from olist_pipeline.registry import LANDING
from olist_pipeline.settings import Settings
from olist_pipeline.staging import intake_path
from olist_pipeline.steps import run_intake

ADDRESS = "memory://bucket/olist"


@pytest.fixture
def store():
    """A store in memory, with two files and a part."""
    memory = fsspec.filesystem("memory")
    memory.pipe({"/bucket/olist/a.csv": b"a", "/bucket/olist/b.csv": b"b", "/bucket/olist/parts/1.csv": b"1"})
    yield memory
    memory.store.clear()


@pytest.fixture
def settings(tmp_path):
    return Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_DATA_DIR": ADDRESS})


def content(settings):
    return {
        str(path.relative_to(settings.landing)): path.read_text()
        for path in settings.landing.rglob("*")
        if path.is_file()
    }


def test_what_has_changed_is_copied_and_what_is_gone_goes(store, settings):
    assert sorted(fetch_landing(settings)) == ["a.csv", "b.csv", "parts/1.csv"]
    assert fetch_landing(settings) == []
    store.pipe("/bucket/olist/b.csv", b"other")
    store.rm("/bucket/olist/parts/1.csv")
    assert fetch_landing(settings) == ["b.csv"]
    assert content(settings) == {"a.csv": "a", "b.csv": "other"}
    assert not (settings.landing / "parts").exists()


def test_a_file_that_somebody_wrote_here_is_copied_again(store, settings):
    fetch_landing(settings)
    (settings.landing / "a.csv").write_text("x")
    (settings.landing / "b.csv").unlink()
    assert sorted(fetch_landing(settings)) == ["a.csv", "b.csv"]


def test_nothing_else_is_copied(store, settings):
    store.pipe({"/bucket/olist/.hidden": b"x", "/bucket/olist/deep/er/c.csv": b"x", "/bucket/olist2/c.csv": b"x"})
    assert sorted(fetch_landing(settings)) == ["a.csv", "b.csv", "parts/1.csv"]


def test_no_name_leads_out_of_the_folder():
    names = ["/root/../a.csv", "/root/x/../../a.csv", "/elsewhere/a.csv", "/root", "/root/folder/"]
    assert fetched._listed({name: {"size": 1, "type": "file"} for name in names}, "/root") == {}


def test_what_a_cut_off_fetch_has_copied_stays(store, settings, monkeypatch):
    get = store.get_file

    def failing(path, target, **options):
        if path.endswith("b.csv"):
            raise OSError("Connection reset")
        get(path, target, **options)

    monkeypatch.setattr(type(store), "get_file", lambda self, *given, **options: failing(*given, **options))
    with pytest.raises(OlistError, match=rf"^{ADDRESS} cannot be read: Connection reset; see that"):
        fetch_landing(settings)
    assert content(settings) == {"a.csv": "a"}
    monkeypatch.undo()
    assert sorted(fetch_landing(settings)) == ["b.csv", "parts/1.csv"]


def test_a_file_that_is_replaced_meanwhile_is_not_kept(store, settings, monkeypatch):
    found = store.find("/bucket/olist", maxdepth=2, detail=True)
    found["/bucket/olist/a.csv"] = {**found["/bucket/olist/a.csv"], "size": 9}
    monkeypatch.setattr(type(store), "find", lambda self, *given, **options: found)
    with pytest.raises(OlistError, match=r"^a\.csv at memory://bucket/olist was replaced while it was read; run again"):
        fetch_landing(settings)


def test_an_address_without_files_is_named_and_nothing_is_generated_there(settings):
    with pytest.raises(OlistError, match=rf"^There are no files at {ADDRESS}, which OLIST_DATA_DIR names"):
        fetch_landing(settings)
    assert not settings.has_own_landing


def test_a_store_whose_package_is_not_installed_is_named(settings, monkeypatch):
    def missing(address):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(
        OlistError, match=r"is not installed \(Install s3fs to access S3\): for s3:// it is the extra s3"
    ):
        fetch_landing(settings)


def test_a_folder_of_this_machine_is_read_where_it_is(tmp_path):
    settings = Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_DATA_DIR": str(tmp_path / "landing")})
    assert fetch_landing(settings) == []
    assert (settings.landing, settings.landing_address) == (tmp_path / "landing", "")


def test_other_processes_see_the_address(settings):
    assert Settings.from_env(settings.variables()).landing == settings.landing


@pytest.fixture(scope="module")
def s3():
    """An S3 server on this machine, and a client of it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    names = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**names, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": host}.items():
            patch.setenv(name, value)
        yield fsspec.filesystem("s3")
    server.stop()


def test_intake_of_a_bucket_is_that_of_a_folder(s3, landing, database, tmp_path):
    s3.mkdir("landing-of-two-orders")
    s3.put(f"{landing}/", "landing-of-two-orders/olist/", recursive=True)
    address = "s3://landing-of-two-orders/olist"
    there = Settings.from_env({"OLIST_HOME": str(tmp_path / "there"), "OLIST_DATA_DIR": address})
    here = Settings(tmp_path / "here", landing, None)
    tables = [LANDING[name] for name in ("orders", "order_items", "order_payments")]
    assert sorted(fetch_landing(there)) == sorted(table.file for table in tables)
    for table in tables:
        for settings in (here, there):
            run_intake(settings, database, table, date(2018, 12, 31), "r")
        rows = [pl.read_parquet(intake_path(one.intake, table.name), glob=False) for one in (here, there)]
        assert rows[0].height
        assert rows[0].equals(rows[1])
    changed = LANDING["orders"].file
    s3.pipe(f"{address}/{changed}", (landing / changed).read_bytes() + b"\n")
    assert fetch_landing(there) == [changed]
    [note] = there.landing.parent.glob("*.json")
    assert "ETag" not in note.read_text(), "only what tells a state is kept"
    assert set(json.loads(note.read_text())) == {table.file for table in tables}
    note.write_text("null")
    assert len(fetch_landing(there)) == len(tables), "what is known of nothing is fetched again"


def test_a_bucket_that_is_not_there_is_named(s3, tmp_path):
    settings = Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_DATA_DIR": "s3://no-such-bucket/olist"})
    with pytest.raises(OlistError, match=r"s3://no-such-bucket/olist"):
        fetch_landing(settings)
