"""Data files: rows that releases share, wherever their home is, and nothing left of what nobody uses."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from benchmarks.soak import Fork
from olist_pipeline.cli.releases import release as release_command
from olist_pipeline.cli.releases import releases as releases_command
from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import read_manifest, write_manifest
from olist_pipeline.serving import data_files, pruning, standby
from olist_pipeline.serving.journal import sole_switch
from olist_pipeline.serving.pruning import is_read, remove_unneeded, sizes
from olist_pipeline.serving.release import is_intact, kept_numbers, release_folder
from olist_pipeline.serving.release_checks import release_problems
from olist_pipeline.tablediff.contract import Contract
from olist_pipeline.tablediff.sources import compare_sources
from tests.pipeline.serving.world import (
    CONTEXTS,
    SHADOW,
    TABLES,
    copy_of,
    cut_over,
    expected_sides,
    published,
    release_of,
    roll_back,
    routes,
    settings_of,
    sides,
)

AWKWARD = "it's 100% [new] a=b {x,y} * \u00e9"
READ = "import duckdb, sys; print(*duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall()[0])"


@pytest.fixture
def settings(in_shadow):
    return in_shadow


def data(settings):
    """The data files by name, with what tells whether one was written again."""
    return {path.name: path.stat().st_mtime_ns for path in (settings.serving / "data").glob("*.parquet")}


def change(settings, statement):
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(statement)


def problems(settings, number):
    folder = release_folder(settings.serving, number)
    with duckdb.connect(str(folder / "serving.duckdb"), read_only=True) as connection:
        return release_problems(connection, read_manifest(folder))


def file_of(settings, table, side="old"):
    [part] = release_of(settings).tables[table].sources[side].parts
    return data_files.data_file(settings.serving, part)


class TestSharing:
    def test_the_same_rows_are_written_once(self, settings):
        before = data(settings)
        assert len(before) == 11, "six tables of two sides, of which one has the same rows on both"
        published(settings)
        cut_over(settings, "sales")
        assert data(settings) == before
        change(settings, "UPDATE old.fact_orders SET seller_id = 's0' WHERE order_id = 'o3'")
        published(settings)
        assert data(settings).items() > before.items()
        assert len(data(settings)) == 12

    def test_a_release_and_a_standby_hold_no_rows(self, settings):
        folders = [*(settings.serving / "releases").iterdir(), *(settings.serving / "standby").iterdir()]
        assert len(folders) > 1
        assert {path.name for folder in folders for path in folder.iterdir()} == {"serving.duckdb", "manifest.json"}
        with duckdb.connect(str(settings.serving / "current" / "serving.duckdb"), read_only=True) as connection:
            tables = connection.execute("SELECT schema_name FROM duckdb_tables()").fetchall()
        assert {schema for (schema,) in tables} == {"about"}

    def test_a_month_that_has_not_changed_is_not_written_again(self, settings):
        table = replace(TABLES[0], is_monthly=True)
        for schema in ("old", "new"):
            change(settings, f"ALTER TABLE {schema}.fact_orders ADD COLUMN order_month DATE")
            change(settings, f"UPDATE {schema}.fact_orders SET order_month = DATE '2018-01-01' WHERE order_id < 'o2'")
            change(settings, f"UPDATE {schema}.fact_orders SET order_month = DATE '2018-02-01' WHERE order_id = 'o2'")
        first = published(settings, tables=[table], references=[])
        old = first.tables["fact_orders"].sources["old"]
        assert len(old.parts) == 3, "a row has no month"
        change(settings, "UPDATE old.fact_orders SET seller_id = 's9' WHERE order_id = 'o2'")
        second = published(settings, tables=[table], references=[])
        changed = set(second.tables["fact_orders"].sources["old"].parts) - set(old.parts)
        assert len(changed) == 1
        with duckdb.connect(str(settings.serving / "current" / "serving.duckdb"), read_only=True) as connection:
            shown = connection.execute("SELECT order_id, seller_id FROM fact_orders ORDER BY 1").fetchall()
        assert shown == [("o0", "s0"), ("o1", "s1"), ("o2", "s9"), ("o3", "s1")]
        assert problems(settings, 2) == problems(settings, 3) == []

    @pytest.mark.parametrize("months_at_a_time", [2, 100])
    def test_rows_in_any_order_have_a_file_a_month(self, tmp_path, months_at_a_time):
        """However many months DuckDB keeps open, and whatever name a month has as a folder."""
        odd = ["NULL", "'infinity'", "'0044-03-01 (BC)'", "'12018-01-01'"]
        months = [*(f"'{year}-03-01'" for year in range(2000, 2010)), *odd]
        rows = ", ".join(f"({number}, {month}::DATE)" for number in range(3) for month in months)
        folder = tmp_path / "releases" / "1"
        folder.mkdir(parents=True)
        with data_files.in_use(tmp_path), duckdb.connect(str(folder / "serving.duckdb")) as connection:
            connection.execute(f"SET partitioned_write_max_open_files = {months_at_a_time}")
            connection.execute(f"CREATE TABLE t AS FROM (VALUES {rows}) AS t(number, order_month); CREATE SCHEMA old")
            content = data_files.store(connection, tmp_path, "t", "old.t", is_monthly=True)
            assert len(content.parts) == len(months)
            assert connection.execute("FROM t EXCEPT ALL FROM old.t").fetchall() == []
            counts = connection.execute("SELECT count(*) FROM old.t GROUP BY order_month").fetchall()
        assert counts == [(3,)] * len(months)
        names = {path.name for path in (tmp_path / "data").iterdir()}
        assert names == {".lock", *(f"{part}.parquet" for part in content.parts)}

    def test_a_table_without_rows_has_its_columns(self, settings):
        change(settings, "DELETE FROM old.fact_reviews")
        release = published(settings, tables=[replace(TABLES[2], is_monthly=False)], references=[])
        assert release.tables["fact_reviews"].rows == 0
        assert problems(settings, release.number) == []

    def test_types_that_parquet_does_not_keep_are_kept(self, settings):
        change(settings, "ALTER TABLE old.fact_orders ADD COLUMN big HUGEINT")
        change(settings, "ALTER TABLE old.fact_orders ADD COLUMN kind ENUM('a', 'b''c')")
        change(settings, "UPDATE old.fact_orders SET big = 170141183460469231731687303715884105727, kind = 'b''c'")
        published(settings)
        with duckdb.connect(str(settings.serving / "current" / "serving.duckdb"), read_only=True) as connection:
            [row] = connection.execute(
                "SELECT DISTINCT big, kind, typeof(big), typeof(kind) FROM fact_orders"
            ).fetchall()
        assert row == (2**127 - 1, "b'c", "HUGEINT", "ENUM('a', 'b''c')")
        assert problems(settings, 2) == []

    @pytest.mark.parametrize(
        "value",
        [
            "TIMETZ '12:00:00+01'",
            "INTERVAL '1 microsecond'",
            "INTERVAL '-1 month'",
            "[TIMETZ '12:00:00+01']",
            "{'a': INTERVAL '1 microsecond'}",
            "MAP {'a': INTERVAL '-1 day'}",
        ],
    )
    def test_values_that_parquet_cuts_are_kept(self, tmp_path, value):
        with self.database(tmp_path) as connection, data_files.in_use(tmp_path):
            connection.execute(f"CREATE TABLE t AS SELECT {value} AS x")
            data_files.store(connection, tmp_path, "t", "seen")
            assert connection.execute("SELECT x::VARCHAR, typeof(x) FROM t").fetchall() == (
                connection.execute("SELECT x::VARCHAR, typeof(x) FROM seen").fetchall()
            )

    def test_a_type_that_no_file_holds_is_named(self, tmp_path):
        with self.database(tmp_path) as connection, data_files.in_use(tmp_path):
            connection.execute("CREATE TABLE t AS SELECT 1 AS x, union_value(a := 1) AS odd")
            with pytest.raises(OlistError, match="run again; where it stays so, let its SQL give odd another type"):
                data_files.store(connection, tmp_path, "t", "seen")

    @staticmethod
    def database(folder):
        (folder / "releases" / "1").mkdir(parents=True)
        return duckdb.connect(str(folder / "releases" / "1" / "serving.duckdb"))

    def test_a_release_says_what_it_takes(self, settings):
        change(settings, "UPDATE old.fact_orders SET seller_id = 's0'")
        published(settings)
        size = sizes(settings.serving)
        databases = {number: sum(path.stat().st_size for path in folder_files(settings, number)) for number in size}
        assert size[2].alone - databases[2] == file_of(settings, "fact_orders").stat().st_size
        assert size[2].total - databases[2] > 5 * (size[2].alone - databases[2])
        shown = CliRunner(env={"OLIST_HOME": str(settings.home), "COLUMNS": "200"}).invoke(releases_command)
        assert f"{size[2].alone / 1e6:,.1f}" in shown.output


def folder_files(settings, number):
    return release_folder(settings.serving, number).iterdir()


class TestPlaces:
    @pytest.fixture
    def moved(self, settings, tmp_path):
        """A home that was copied file by file to a place with an awkward name; the former one is gone."""
        elsewhere = copy_of(settings, tmp_path / AWKWARD)
        shutil.rmtree(settings.home)
        return elsewhere

    @pytest.mark.parametrize("database", ["current/serving.duckdb", "releases/00001/serving.duckdb"])
    @pytest.mark.parametrize("place", [".", "serving", "/"])
    def test_any_program_reads_a_home_that_was_moved(self, moved, database, place):
        folder = moved.home / place
        path = moved.serving / database
        named = str(path) if place == "/" else os.path.relpath(path, folder)
        question = [sys.executable, "-c", READ, named, "SELECT count(*) FROM fact_orders"]
        assert subprocess.run(question, cwd=folder, capture_output=True, text=True, check=True).stdout == "4\n"

    def test_what_was_moved_is_switched_and_goes_on(self, moved):
        assert is_intact(moved.serving, release_of(moved))
        assert problems(moved, 1) == []
        cut_over(moved, "sales")
        assert sides(moved) == expected_sides(release_of(moved), routes(moved))
        before = data(moved)
        published(moved, routes(moved))
        assert data(moved) == before

    def test_a_session_of_another_database_reads_it_where_it_was_made(self, settings):
        with duckdb.connect(config={"temp_directory": str(settings.home)}) as connection:
            connection.execute(f"ATTACH '{settings.serving / 'current' / 'serving.duckdb'}' AS served (READ_ONLY)")
            assert connection.execute("SELECT count(*) FROM served.main.fact_orders").fetchall() == [(4,)]

    def test_the_comparator_reads_what_is_served(self, settings):
        database = settings.serving / "current" / "serving.duckdb"
        found = compare_sources(f"{database}:fact_orders", f"{database}:new.fact_orders", Contract("t", ("order_id",)))
        assert (found.to_dict()["rows_old"], found.to_dict()["rows_new"]) == (4, 3)

    def test_a_session_with_a_setting_of_its_own_reads_it_too(self, settings, tmp_path):
        path = str(settings.serving / "current" / "serving.duckdb")
        with duckdb.connect(path, read_only=True, config={"temp_directory": str(tmp_path)}) as connection:
            assert connection.execute("SELECT count(*) FROM fact_orders").fetchall() == [(4,)]


class TestDamage:
    DAMAGED = {
        "fact_orders": ("cut off", "damaged"),
        "fact_reviews": ("overwritten", "damaged"),
        "dim_customer": ("missing", "missing"),
        "dim_geography": ("a folder", "damaged"),
        "mart_delivery": ("of other rows", "damaged"),
    }
    """What is done to the file of each table, and what is said of it."""

    def spoil(self, settings, table, damage):
        path = file_of(settings, table)
        if damage in ("missing", "a folder"):
            path.unlink()
            if damage == "a folder":
                path.mkdir()
        elif damage == "of other rows":
            shutil.copyfile(file_of(settings, table, "new"), path)
        else:
            content = path.read_bytes()
            path.write_bytes(content[:-40] if damage == "cut off" else content[:4] + bytes(200) + content[204:])
        return path

    def test_is_reported_of_every_release_that_reads_the_file_and_mended_by_the_next(self, settings):
        published(settings)
        paths = {table: self.spoil(settings, table, damage) for table, (damage, _) in self.DAMAGED.items()}
        for number in (1, 2):
            found = problems(settings, number)
            assert [table for table in paths if not any(table in problem for problem in found)] == []
            reported = CliRunner(env={"OLIST_HOME": str(settings.home)}).invoke(
                release_command, ["verify", str(number)]
            )
            assert reported.exit_code == 1
            for table, (_, kind) in self.DAMAGED.items():
                assert f"{paths[table]} of old.{table} is {kind}, which releases 1, 2 read" in reported.output
        published(settings)
        assert [problems(settings, number) for number in (1, 2, 3)] == [[], [], []]

    @pytest.mark.parametrize(("table", "damage"), [(table, damage) for table, (damage, _) in DAMAGED.items()])
    def test_is_noticed_without_reading_where_a_file_is_none(self, settings, table, damage):
        self.spoil(settings, table, damage)
        assert is_intact(settings.serving, release_of(settings)) is (damage not in ("missing", "a folder"))

    def test_of_the_side_that_is_not_shown_is_reported_too(self, settings):
        file_of(settings, "fact_orders", "new").write_bytes(b"PAR1")
        [problem] = problems(settings, 1)
        assert problem.startswith("new.fact_orders cannot be read (")


class TestPruning:
    @pytest.fixture
    def two_kept(self, monkeypatch):
        monkeypatch.setattr(pruning, "KEPT_RELEASES", 2)

    def alter_and_publish(self, settings, times):
        for number in range(times):
            change(settings, f"UPDATE old.fact_orders SET seller_id = 'x{number}'")
            published(settings)

    def used(self, settings):
        manifests = [
            read_manifest(release_folder(settings.serving, number)) for number in kept_numbers(settings.serving)
        ]
        return {f"{part}.parquet" for manifest in manifests for part in data_files.parts_of(manifest)}

    def test_what_no_kept_release_reads_is_removed_and_nothing_else(self, settings, two_kept):
        first = file_of(settings, "fact_orders")
        self.alter_and_publish(settings, 3)
        assert kept_numbers(settings.serving) == [3, 4]
        assert not first.exists()
        assert data(settings).keys() == self.used(settings)
        assert [problems(settings, number) for number in (3, 4)] == [[], []]

    def test_a_release_that_somebody_reads_stays(self, settings, two_kept):
        path = settings.serving / "current" / "serving.duckdb"
        program = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print(flush=True)\n" + (
            "for line in sys.stdin: print(c.execute(line).fetchall(), flush=True)"
        )
        reader = subprocess.Popen(
            [sys.executable, "-c", program, path], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert reader.stdin
        assert reader.stdout
        reader.stdout.readline()
        self.alter_and_publish(settings, 3)
        assert kept_numbers(settings.serving) == [1, 3, 4]
        reader.stdin.write("SELECT DISTINCT seller_id FROM fact_orders ORDER BY 1\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[('s0',), ('s1',)]\n"
        reader.communicate()
        with sole_switch(settings.serving):
            remove_unneeded(settings.serving)
        assert kept_numbers(settings.serving) == [3, 4]
        assert data(settings).keys() == self.used(settings)

    def test_nobody_reads_what_is_not_open(self, settings, tmp_path):
        assert not is_read(settings.serving / "current" / "serving.duckdb")
        assert not is_read(tmp_path / "nothing")

    def test_nothing_is_removed_while_a_release_is_built(self, settings):
        unused = settings.serving / "data" / "unused.parquet"
        unused.touch()
        with data_files.in_use(settings.serving), sole_switch(settings.serving):
            remove_unneeded(settings.serving)
        assert unused.exists()
        with sole_switch(settings.serving):
            remove_unneeded(settings.serving)
        assert not unused.exists()

    def test_what_is_no_file_is_left_alone(self, settings):
        """A copy that somebody made there, or a folder of a program that keeps thumbnails."""
        (settings.serving / "data" / "copy").mkdir()
        with sole_switch(settings.serving):
            remove_unneeded(settings.serving)
        assert (settings.serving / "data" / "copy").is_dir()

    def test_the_months_of_a_killed_writer_are_removed(self, settings):
        month = settings.serving / "data" / ".1f.tmp" / "order_month=2018-01-01"
        month.mkdir(parents=True)
        (month / "data_0.parquet").touch()
        with sole_switch(settings.serving):
            remove_unneeded(settings.serving)
        assert not month.parent.exists()

    @pytest.mark.parametrize("served", [False, True])
    def test_the_others_are_shown_beside_a_release_that_cannot_be_read(self, settings, served):
        published(settings)
        damaged = 2 if served else 1
        (release_folder(settings.serving, damaged) / "manifest.json").write_text("{")
        shown = CliRunner(env={"OLIST_HOME": str(settings.home), "COLUMNS": "200"}).invoke(releases_command)
        assert f"{3 - damaged}" in shown.output
        said = "has no readable manifest.json; " + ("`olist run --force`" if served else "remove it")
        assert f"under 0000{damaged} {said}" in str(shown.exception)

    def test_nothing_is_removed_while_a_release_does_not_say_what_it_reads(self, settings, two_kept):
        unused = settings.serving / "data" / "unused.parquet"
        unused.touch()
        (release_folder(settings.serving, 1) / "manifest.json").write_text("{")
        with sole_switch(settings.serving):
            remove_unneeded(settings.serving)
        assert unused.exists()


SEAMS = [
    (data_files, "_holds", 1),
    (data_files, "_holds", 4),
    (data_files, "flush", 1),
    (data_files, "flush", 3),
    (data_files, "remove_unused", 1),
    (pruning, "is_read", 1),
    (shutil, "rmtree", 1),
    (Path, "unlink", 1),
    (Path, "unlink", 5),
    (standby, "compose", 1),
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("module", "function", "call"), SEAMS, ids=lambda value: str(getattr(value, "__name__", value))
)
def test_a_kill_at_any_seam_leaves_what_the_next_run_makes_good(settings, monkeypatch, module, function, call):
    """The process is killed at a call of a function of building or pruning; a release and its files are whole after."""
    monkeypatch.setattr(pruning, "KEPT_RELEASES", 1)
    change(settings, "UPDATE old.fact_orders SET seller_id = 's1'; UPDATE new.dim_seller SET side = 'new'")
    calls, original = [], getattr(module, function)

    def die(*arguments, **named):
        calls.append(1)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(module, function, die)
        builder = Fork.Process(target=published, args=(settings,))
        builder.start()
        builder.join()
    assert builder.exitcode == -signal.SIGKILL, "the seam is on the way"
    served = release_of(settings)
    assert problems(settings, served.number) == []
    made = published(settings)
    assert problems(settings, made.number) == []
    manifest = read_manifest(release_folder(settings.serving, made.number))
    assert kept_numbers(settings.serving) == [made.number]
    assert data(settings).keys() == {f"{part}.parquet" for part in data_files.parts_of(manifest)}
    assert {path.name for path in (settings.serving / "data").iterdir()} == {*data(settings), ".lock"}
    assert {path.name for path in (settings.serving / "releases").iterdir()} == {f"{made.number:05d}"}


def test_a_release_of_a_version_whose_databases_held_the_rows_is_read_switched_and_succeeded(tmp_path):
    settings = settings_of(tmp_path)
    release = published(settings)
    folder = release_folder(settings.serving, 1)
    with duckdb.connect(str(folder / "serving.duckdb")) as connection:
        for table in release.tables:
            for side in ("old", "new"):
                connection.execute(f"CREATE TABLE {side}.kept AS FROM {side}.{table}; DROP VIEW {side}.{table}")
                connection.execute(f"ALTER TABLE {side}.kept RENAME TO {table}")
    without = {
        name: replace(table, sources={side: replace(one, parts=()) for side, one in table.sources.items()})
        for name, table in release.tables.items()
    }
    write_manifest(folder, replace(release, tables=without))
    shutil.rmtree(settings.serving / "data")
    shutil.rmtree(settings.serving / "standby")
    assert is_intact(settings.serving, release_of(settings))
    assert problems(settings, 1) == []
    for context in CONTEXTS:
        cut_over(settings, context)
    assert sides(settings) == expected_sides(release_of(settings), routes(settings))
    roll_back(settings, "sales")
    published(settings, SHADOW)
    assert sides(settings) == expected_sides(release_of(settings), SHADOW)
    assert [problems(settings, number) for number in kept_numbers(settings.serving)] == [[]] * 7


def test_a_copy_that_is_not_what_the_warehouse_holds_is_not_published(settings, monkeypatch):
    change(settings, "UPDATE old.fact_orders SET seller_id = 's1'")
    monkeypatch.setattr(data_files, "_FORMAT", "FORMAT csv")  # a file that cannot be read back
    with pytest.raises(OlistError, match="is not what the warehouse holds"):
        published(settings)
    assert release_of(settings).number == 1
