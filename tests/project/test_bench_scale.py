"""`make bench-scale`: what it says of a command that is known, its deliveries, and the page that it writes."""

import json
import os
import re
import sys

import polars as pl
import pytest

from benchmarks import performance_page, scale
from benchmarks.deliveries import CUSTOMERS, OF_ORDERS, ORDERS, change_month, day_before, month_before_the_last
from benchmarks.watched import CommandFailedError, Sample, steps_of, watch
from olist_pipeline.synthetic import generate

WORK = """
import subprocess, sys, time
print("  done    waiting      0.0 s", flush=True)
started = time.perf_counter()
held = bytearray(200_000_000)
child = "import time\\nwhile time.process_time() < 0.6: pass"
subprocess.run([sys.executable, "-c", child], check=True)
time.sleep(0.5)
print(f"  done    working      {time.perf_counter() - started:.1f} s", flush=True)
"""


def test_a_command_is_watched_with_its_children(tmp_path):
    seen = watch([sys.executable, "-c", WORK], os.environ, tmp_path)
    assert seen.seconds > 1.0
    assert 0.6 <= seen.cpu < seen.seconds + 2
    assert 190e6 < seen.peak_memory < 800e6
    assert [step.name for step in seen.steps] == ["waiting", "working"]
    assert seen.steps[1].cpu > 0.3


def test_a_command_that_fails_says_how(tmp_path):
    with pytest.raises(CommandFailedError, match=r"ended with 3:\nsorry"):
        watch([sys.executable, "-c", "print('sorry'); raise SystemExit(3)"], os.environ, tmp_path)


def test_steps_side_by_side_share_what_was_spent():
    samples = [Sample(0, 0, 0), Sample(10, 20, 0)]
    steps = {step.name: step for step in steps_of(samples, [("alone", 4, 4), ("first", 8, 4), ("second", 8, 2)])}
    assert {name: (step.seconds, step.cpu) for name, step in steps.items()} == {
        "alone": (4, 8),
        "first": (4, 4 + 2),
        "second": (2, 2),
    }


class TestDeliveries:
    @pytest.fixture(scope="class")
    def landing(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("deliveries")
        generate(folder / "whole", orders=400, seed=1)
        day_before(folder / "whole", folder / "before")
        return folder

    def test_the_day_before_lacks_the_last_day_and_nothing_else(self, landing):
        rows = {
            folder: {path.name: read(path) for path in (landing / folder).iterdir()} for folder in ("whole", "before")
        }
        orders = rows["whole"][ORDERS]
        day = orders["order_purchase_timestamp"].str.slice(0, 10).max()
        late = orders.filter(pl.col("order_purchase_timestamp").str.starts_with(day))
        assert 0 < late.height < orders.height
        assert rows["before"].keys() == rows["whole"].keys()
        for name, frame in rows["whole"].items():
            key = "order_id" if name in OF_ORDERS else "customer_id" if name == CUSTOMERS else None
            kept = frame.filter(~pl.col(key).is_in(late[key].to_list())) if key else frame
            assert rows["before"][name].equals(kept), name

    def test_a_changed_month_is_changed_in_some_of_its_orders_alone(self, landing):
        before, month = read(landing / "before" / ORDERS), month_before_the_last(landing / "before")
        change_month(landing / "before", month)
        after = read(landing / "before" / ORDERS)
        changed = before.filter(
            before["order_estimated_delivery_date"].ne_missing(after["order_estimated_delivery_date"])
        )
        assert changed.height > 0
        assert changed["order_purchase_timestamp"].str.starts_with(month).all()
        other = pl.all().exclude("order_estimated_delivery_date")
        assert after.select(other).equals(before.select(other))


def read(path):
    return pl.read_csv(path, infer_schema=False)


def result(orders, seconds):
    step = {"name": "dbt_old", "seconds": seconds / 2, "cpu": seconds}
    run = {"seconds": seconds, "cpu": 2 * seconds, "peak_memory": 10**9, "steps": [step]}
    disk = {"landing": 1, "warehouse.duckdb": 2 * 10**9, "serving": 10**9}
    machine = dict.fromkeys(("processor", "python", "dagster", "dbt-core", "duckdb", "polars", "commit"), "1")
    return {
        "orders": orders,
        "machine": {**machine, "cores": 2, "memory": 8 * 10**9, "load": 0.5},
        "runs": {"first run": {**run, "disk": disk}},
    }


STANDS_IN = """
import os, pathlib
home, landing = (pathlib.Path(os.environ[name]) for name in ("OLIST_HOME", "OLIST_DATA_DIR"))
home.mkdir(exist_ok=True)
(home / "warehouse.duckdb").write_bytes(bytes(100_000))
(home / "rows").write_text(str(sum(path.read_bytes().count(b"\\n") for path in landing.iterdir())))
print("  done    dbt_old      0.1 s")
"""


def test_a_size_is_measured_by_three_runs_over_growing_files(tmp_path, monkeypatch):
    """The runs themselves are replaced by a program that counts lines."""
    seen = []

    def watched(command, environment, home):
        found = watch(command, environment, home)
        seen.append(int((home / "rows").read_text()))
        return found

    monkeypatch.setattr(scale, "watch", watched)
    for name in ("RUN", "NIGHT"):
        monkeypatch.setattr(scale, name, [sys.executable, "-c", STANDS_IN])
    found = scale.measure(400, tmp_path)
    before, more, changed = seen
    assert before < more == changed
    assert list(found["runs"]) == ["first run", "a day more", "a month changed"]
    for run in found["runs"].values():
        assert [step["name"] for step in run["steps"]] == ["dbt_old"]
        assert run["disk"]["warehouse.duckdb"] >= 100_000
        assert run["disk"]["landing"] > 10_000
    assert found["machine"]["cores"] == os.cpu_count()
    assert json.loads(json.dumps(found)) == found | {"runs": json.loads(json.dumps(found["runs"]))}


def test_results_are_kept_by_size_and_written_into_the_page(tmp_path):
    scale.kept([result(20_000, 9.0), result(10_000, 5.0)], tmp_path / "kept.json")
    found = scale.kept([result(20_000, 10.0)], tmp_path / "kept.json")
    assert [(one["orders"], one["runs"]["first run"]["seconds"]) for one in found] == [(10_000, 5.0), (20_000, 10.0)]
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n")
    (tmp_path / "images").mkdir()
    performance_page.write_page(found, page)
    text = page.read_text()
    assert "| seconds | 5.0 | 10.0 | 1.00 |" in text
    assert "| `dbt_old` | 2.5 / 5.0 | 5.0 / 10.0 | 1.00 |" in text
    assert "| serving / warehouse | 0.50 / 0.50 | 0.50 / 0.50 |" in text
    assert text.startswith("before\n<!--")
    assert "old\n" not in text
    plots = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert plots == ["performance_disk.svg", "performance_steps.svg", "performance_time.svg"]
    assert all("<svg" in (tmp_path / "images" / name).read_text() for name in plots)


def test_the_page_shows_what_was_kept():
    text = performance_page.PAGE.read_text("utf-8")
    shown = re.search(f"{performance_page.BEGIN}\n(.*)\n{performance_page.END}", text, re.DOTALL)
    assert shown
    kept = json.loads(scale.RESULTS.read_text("utf-8"))
    assert shown[1] == "\n".join(performance_page.rendered(kept))
