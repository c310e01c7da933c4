"""Troubles: errors of files, disks and servers become a sentence that says what to do; errors of the code do not."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import duckdb
import polars as pl
import psycopg2
import pytest
import sqlalchemy.exc
from dagster_postgres.utils import DagsterPostgresException

from olist_pipeline.errors import OlistError
from olist_pipeline.files import replacing
from olist_pipeline.orchestration.resources import clear_failures
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.staging import intake_path, scan_intake, scan_staging, staging_path, write_frame
from olist_pipeline.troubles import sentence_of
from olist_pipeline.warehouse import set_aside_where_damaged

FULL = "parquet: File out of specification: underlying IO error: No space left on device (os error 28)"
BROKEN = {
    "half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "empty": lambda data: b"",
    "flipped": lambda data: data[:4] + bytes(len(data) - 8) + data[-4:],
}


def lost():
    return psycopg2.OperationalError("server closed the connection unexpectedly")


def panicked() -> BaseException:
    import polars as pl

    return pl.exceptions.PanicException("called `Option::unwrap()` on a `None` value")


def said_of(error: BaseException) -> str:
    """Return the sentence of an error that has one."""
    sentence = sentence_of(error)
    assert sentence is not None
    return sentence


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OlistError("As it is."), "As it is."),
        (OSError(28, "No space left on device", "/x/y"), "No space left on device (/x/y); free space and run again."),
        (
            FileNotFoundError(2, "No such file or directory", "/no/such/a.csv"),
            "No such file or directory (/no/such/a.csv); make its folder and run again.",
        ),
        (
            FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/']"),
            "No folder for temporary files can be written to; set TMPDIR",
        ),
        (OSError("No space left on device (os error 28)"), "No space left on device; free space and run again"),
        (
            OSError(13, "Permission denied", "/x"),
            "Permission denied (/x); give this user the right to it and run again.",
        ),
        (
            OSError(13, "Permission denied", "releases/1", None, "/x/current"),
            "Permission denied (releases/1 -> /x/current);",
        ),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused."),
        (MemoryError(), "There is not enough memory"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), "There is not enough memory"),
        (lost(), "PostgreSQL was stopped"),
        (sqlalchemy.exc.OperationalError("SELECT 1", {}, lost()), "PostgreSQL was stopped"),
        (DagsterPostgresException("too many retries for DB connection"), "PostgreSQL does not answer any more"),
        (duckdb.IOException("IO Error: Could not write file: No space left on device"), "No space left on device"),
        (
            duckdb.TransactionException('Failed to commit: Could not write file "/x.wal": No space left on device'),
            "/x.wal",
        ),
        (pl.exceptions.ComputeError(FULL), "No space left on device; free space and run again"),
        (OSError(27, "File too large", "/x"), "File too large (/x); raise the limit of a file's size (ulimit -f)"),
        (
            duckdb.IOException('IO Error: Cannot open file "/x.parquet": Too many open files'),
            '"/x.parquet": Too many open files; raise the limit of open files (ulimit -n) and run again.',
        ),
        (
            ImportError("READ THIS!\n\nOriginal error was: libx.so: failed to map segment from shared object\n"),
            "(Original error was: libx.so: failed to map segment from shared object); end other programs, raise the",
        ),
        (RuntimeError("can't start new thread"), "raise the limit of its processes (ulimit -u) and run again."),
        (
            pl.exceptions.PanicException('threads: Os { code: 11, message: "Resource temporarily unavailable" }'),
            "raise the limit of its processes (ulimit -u) and run again.",
        ),
        (
            duckdb.IOException('IO Error: Cannot open file "/x.parquet": Permission denied'),
            '"/x.parquet": Permission denied; give this user the right to it and run again.',
        ),
        (duckdb.Error("Corrupt database file: computed checksum 1 does not match 2"), "Corrupt database file"),
    ],
)
def test_an_error_of_the_outside_is_a_sentence(tmp_path, monkeypatch, error, words):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    assert words in said_of(error)


@pytest.mark.parametrize(
    ("files", "blocks", "left"), [(1_000_000, 2**20, "1 MB left"), (7, 2**40, "7 files left"), (0, 2**40, "")]
)
def test_a_full_disk_that_nobody_names_is_named(tmp_path, monkeypatch, files, blocks, left):
    """The system says of a file that is open only that there is no space: the disk may be that of home or of TMPDIR."""
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = SimpleNamespace(f_files=files, f_favail=files, f_bavail=blocks, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", {tmp_path: room}.__getitem__)
    named = f": {tmp_path} has {left}, and {tmp_path} has {left}" if left else ""
    for error in (OSError(28, "No space left on device"), pl.exceptions.ComputeError(FULL)):
        assert said_of(error) == f"No space left on device; free space and run again{named}."


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "{}/new/file"),
        duckdb.IOException('Could not create file "{}/new/file": No space left on device'),
    ],
)
def test_a_disk_that_holds_no_more_files_is_not_said_to_lack_space(tmp_path, monkeypatch, error):
    room = SimpleNamespace(f_files=1_000_000, f_favail=7, f_bavail=2**40, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", {tmp_path: room}.__getitem__)
    named = type(error)(*(one.format(tmp_path) if isinstance(one, str) else one for one in plain(error)))
    assert said_of(named).endswith("; remove files, of which the disk can hold hardly any more, and run again.")


def plain(error):
    return (*error.args, error.filename) if isinstance(error, OSError) else error.args


@pytest.mark.parametrize(
    "error", [KeyError("x"), duckdb.BinderException("no such column"), duckdb.Error("odd"), ValueError("2")]
)
def test_an_error_of_the_code_is_none(error):
    assert sentence_of(error) is None


def test_a_file_at_which_polars_panics_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    path = intake_path(tmp_path / "intake", "orders")
    write_frame(pl.DataFrame({"x": ["a"]}), path)

    def panicking(*_, **__):
        raise panicked()

    monkeypatch.setattr(pl, "read_parquet", panicking)
    with pytest.raises(dg.Failure, match="is damaged") as caught, clear_failures():
        raise panicked()
    assert str(caught.value.description).startswith(f"{path} is damaged (called ")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_damaged_parquet_file_is_named(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    path = intake_path(tmp_path / "intake", CONTEXTS["sales"].landing[0].name)
    write_frame(pl.DataFrame({"order_month": [None], "x": ["a"]}), path)
    path.write_bytes(BROKEN[kind](path.read_bytes()))
    with pytest.raises(pl.exceptions.PolarsError) as caught:
        scan_intake(tmp_path / "intake", path.stem).collect()
    assert said_of(caught.value).startswith(f"{path} is damaged (")
    assert "`olist run --force` makes it anew" in said_of(caught.value)


@pytest.mark.parametrize("other", [{"x": ["a"], "y": [1]}, {"y": [1]}, {"x": [1]}])
def test_a_staging_file_of_another_version_is_named(tmp_path, monkeypatch, other):
    """A month that an edited record made, or somebody's file in its place."""
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    months = [date(2018, 1, 1), date(2018, 2, 1)]
    paths = [staging_path(tmp_path / "staging", "sales", "orders", month) for month in months]
    for path, rows in zip(paths, ({"x": ["a"]}, other), strict=True):
        write_frame(pl.DataFrame(rows), path)
    write_frame(pl.DataFrame({"z": [1]}), paths[0].with_name("2000 of somebody.parquet"))
    with pytest.raises(pl.exceptions.PolarsError) as caught:
        scan_staging(tmp_path / "staging", "sales", "orders").collect()
    assert said_of(caught.value).startswith(f"{paths[1]} has other columns than the files beside it; ")


@pytest.mark.parametrize("kind", ["half", "zeros", "empty"])
def test_a_damaged_warehouse_is_set_aside(tmp_path, kind):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS x, repeat('y', 100) AS y FROM range(20000)")
    shutil.copyfile(path, tmp_path / "whole.duckdb")
    path.write_bytes(BROKEN[kind](path.read_bytes()))
    set_aside_where_damaged(path)
    assert not path.exists()
    assert len(list(tmp_path.glob("warehouse.duckdb.damaged-*"))) == 1
    set_aside_where_damaged(tmp_path / "whole.duckdb")
    assert (tmp_path / "whole.duckdb").exists()


def test_a_folder_in_the_place_of_a_file_is_a_sentence(tmp_path):
    (tmp_path / "x.json").mkdir()
    with (
        pytest.raises(OlistError, match=r"x\.json is a folder, where a file should be"),
        replacing(tmp_path / "x.json") as path,
    ):
        path.write_text("1")


def test_a_database_that_another_process_holds_is_said_with_that_process(tmp_path):
    path = tmp_path / "held.duckdb"
    hold = f"import duckdb; con = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        with pytest.raises(duckdb.IOException) as caught:
            duckdb.connect(str(path))
    finally:
        holder.communicate(b"\n")

    assert said_of(caught.value) == f"{path} is in use by process {holder.pid}; let it end, or end it, and run again."


def test_a_folder_that_somebody_removed_is_named_as_the_trouble(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        Path("data").absolute()
    assert said_of(raised.value) == "The folder that this shell is in is not there any more; change to one that is."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nx(:\n", r"written_wrongly.py:2 cannot be imported .SyntaxError: .*; mend it there\.$"),
        ("\nimport nowhere\n", r"written_wrongly.py:2 cannot be imported .ModuleNotFoundError: .*nowhere"),
        (
            "from olist_domain.kernel.rules import rule\nrule('A', 'b')(print)\n",
            r"wrongly.py:2 .* needs Severity",
        ),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_line(tmp_path, monkeypatch, text, said):
    (tmp_path / "written_wrongly.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever importing raises
        importlib.import_module("written_wrongly")
    assert re.search(said, sentence_of(raised.value) or "")


@pytest.mark.parametrize(
    ("importing", "text"),
    [
        (None, ""),
        ("__init__.py", "from . import of_windows\n"),
        ("__init__.py", "\nfrom .of_windows import X\n"),
        ("__init__.py", "import in_utf16.of_windows\n"),
        ("one.py", "from in_utf16 import of_windows as x\n"),
    ],
)
def test_a_module_in_utf16_is_named_and_not_the_one_that_imports_it(tmp_path, monkeypatch, importing, text):
    """Python says of NULs in which line they are imported, and not where they are."""
    package = tmp_path / "in_utf16"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "of_windows.py").write_text("X = 1\n", encoding="utf-16")
    if importing:
        (package / importing).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("in_utf16")]:
        monkeypatch.delitem(sys.modules, name)
    module = {None: "in_utf16.of_windows", "one.py": "in_utf16.one"}.get(importing, "in_utf16")
    with pytest.raises(SyntaxError) as raised:
        importlib.import_module(module)
    said = sentence_of(raised.value)
    assert said is not None
    assert f"{package / 'of_windows.py'} cannot be imported (SyntaxError: " in said
    assert said.endswith("mend it there.")


def test_an_error_within_a_function_keeps_its_traceback():
    def wrong():
        raise NameError("x")

    with pytest.raises(NameError) as raised:
        wrong()
    assert sentence_of(raised.value) is None
