"""How dbt is started on a project: each invocation has the environment that was meant for it."""

import os
import subprocess
import sys
import threading

from olist_pipeline.orchestration.dbt_projects import exported
from olist_pipeline.spark.trees import lacking

SAYS = "import os; print(os.environ.get('OLIST_SAID'), os.environ.get('OLIST_WINDOW'))"


def test_a_process_has_what_its_thread_exports_and_nothing_of_another_one(monkeypatch):
    monkeypatch.delenv("OLIST_SAID", raising=False)
    said, within = {}, threading.Event()

    def start(name, variables):
        with exported(variables):
            within.set()
            said[name] = subprocess.run(
                [sys.executable, "-IS", "-c", SAYS], capture_output=True, text=True, check=True
            ).stdout.split()

    first = threading.Thread(target=start, args=("replay", {"OLIST_SAID": "accepted", "OLIST_WINDOW": "2018"}))
    first.start()
    within.wait()
    start("old", {"OLIST_SAID": "landing"})
    first.join()
    assert said == {"replay": ["accepted", "2018"], "old": ["landing", "None"]}
    assert "OLIST_SAID" not in os.environ


def test_what_was_there_before_is_there_again(monkeypatch):
    monkeypatch.setenv("OLIST_SAID", "before")
    with exported({"OLIST_SAID": "outer"}):
        with exported({"OLIST_SAID": "inner"}):
            assert os.environ["OLIST_SAID"] == "inner"
        assert os.environ["OLIST_SAID"] == "outer"
    assert os.environ["OLIST_SAID"] == "before"


def test_a_project_without_a_macro_for_landing_cannot_be_built_by_spark():
    macros = {"macro.shop.other": {"name": "other"}}
    assert "has no macro landing_as_parquet" in lacking({"macros": macros})
    assert not lacking({"macros": {**macros, "macro.shop.it": {"name": "landing_as_parquet"}}})
    assert "new project has no hook (`on-run-start`)" in lacking({"nodes": {"a": {"resource_type": "model"}}}, "new")
    assert not lacking({"nodes": {"a": {"resource_type": "operation"}}}, "new")
