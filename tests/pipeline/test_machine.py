"""The machine: a container's limit counts, and DuckDB gets a quarter."""

import os

import duckdb
import pytest

from olist_pipeline import machine
from olist_pipeline.settings import LEAST_MEMORY


def test_a_process_has_memory_and_cores():
    memory, cores = machine.memory_and_cores()
    assert memory > 2**27
    assert cores >= 1


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A folder of control groups, and the file that names the group of this process."""
    monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "OWN_GROUP", tmp_path / "own")
    return tmp_path


@pytest.mark.parametrize(
    ("said", "own", "file"),
    [
        (None, "", ""),
        ("max\n", "0::/\n", "memory.max"),
        ("6442450944\n", "", "memory.max"),
        ("6442450944\n", "0::/\n", "memory.max"),
        ("6442450944\n", "0::/system.slice/olist.service\n", "system.slice/olist.service/memory.max"),
        ("6442450944\n", "0::/system.slice/olist.service\n", "system.slice/memory.max"),
        ("6442450944\n", "", "memory/memory.limit_in_bytes"),
        ("6442450944\n", "4:cpu,memory:/docker/a:b\n1:cpuset:/\n", "memory/docker/a:b/memory.limit_in_bytes"),
    ],
)
def test_duckdb_has_a_quarter_of_what_a_process_may_use(groups, said, own, file):
    (groups / "own").write_text(own)
    if said:
        path = groups / "groups" / file
        path.parent.mkdir(parents=True)
        path.write_text(said)
    whole = machine.memory_and_cores()[0]
    limited = said is not None and said != "max\n"
    assert machine.memory_of_duckdb() == ("1536MiB" if limited else f"{whole // 4 // 2**20}MiB")
    assert machine.queries_at_once() == (1 if limited or whole < 12 << 30 else 2)


@pytest.mark.parametrize(
    ("said", "bytes_"), [("6GB", 6 << 30), ("1500 MiB", 1500 << 20), ("2.5g", 5 << 29), ("", None)]
)
def test_the_environment_may_say_less(groups, monkeypatch, said, bytes_):
    monkeypatch.setenv("OLIST_MEMORY", said)
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine.memory_and_cores()[0] == (bytes_ or whole)
    (groups / "groups").mkdir()
    (groups / "groups" / "memory.max").write_text(str(LEAST_MEMORY))
    assert machine.memory_of_duckdb() == "512MiB"


def test_a_bound_database_spills_what_it_cannot_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "memory_of_duckdb", lambda: "100MiB")
    with duckdb.connect(str(tmp_path / "some.duckdb")) as connection:
        machine.bound_memory(connection)
        connection.execute("SET threads = 1")
        count = "SELECT count(*) FROM (SELECT md5(i::text) AS name, count(*) FROM range(2000000) t(i) GROUP BY 1)"
        assert connection.execute(count).fetchall() == [(2_000_000,)]
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == [("100.0 MiB",)]
