"""The machine: a container's limit counts, and DuckDB gets a sixth."""

import duckdb
import pytest

from olist_pipeline import machine


def test_a_process_has_memory_and_cores():
    memory, cores = machine.memory_and_cores()
    assert memory > 2**27
    assert cores >= 1


@pytest.mark.parametrize(
    ("said", "limit"), [("6442450944\n", "1024MiB"), ("1073741824\n", "512MiB"), ("max\n", None), (None, None)]
)
def test_duckdb_has_a_sixth_of_what_a_container_has(tmp_path, monkeypatch, said, limit):
    monkeypatch.setattr(machine, "LIMITS", (tmp_path / "none", tmp_path / "memory.max"))
    if said:
        (tmp_path / "memory.max").write_text(said)
    whole = machine.memory_and_cores()[0]
    assert machine.memory_of_duckdb() == (limit or f"{whole // 6 // 2**20}MiB")


def test_a_bound_database_spills_what_it_cannot_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "memory_of_duckdb", lambda: "100MiB")
    with duckdb.connect(str(tmp_path / "some.duckdb")) as connection:
        machine.bound_memory(connection)
        connection.execute("SET threads = 1")
        count = "SELECT count(*) FROM (SELECT md5(i::text) AS name, count(*) FROM range(2000000) t(i) GROUP BY 1)"
        assert connection.execute(count).fetchall() == [(2_000_000,)]
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall() == [("100.0 MiB",)]
