"""`make mutants`: which tests a mutant is tried with, and that they run with the mutant in the place of its module."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mutation.kept import Fates
from scripts.mutation.reach import Part, Reach, statement

PROJECT = Path(__file__).parents[2]
SUMS = '''
"""Sums."""
LIMIT = 3


def total(a, b):
    if a > LIMIT:
        return (
            a
            + b
        )
    return b + a
'''.lstrip()
TESTS = """
from thing.sums import LIMIT, total

def test_small(): assert total(1, 2) == 3
def test_large(): assert total(4, 2) == 6
def test_limit(): assert LIMIT == 3
"""


def reach(lines):
    seconds = {
        f"tests/{name}": float(number) for number, name in enumerate(["b/test_x.py::q", "a/test_y.py::r", "t.py::s"])
    }
    return Reach(Part("code", "tests"), seconds, {"code/a/y.py": lines}, {})


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("code/a/y.py")
    path.parent.mkdir(parents=True)
    path.write_text(SUMS)
    return path


def test_a_line_belongs_to_the_smallest_statement_around_it(module):
    assert [statement(module, line) for line in (2, 5, 6, 9, 11)] == [
        range(2, 3),
        range(5, 6),
        range(6, 7),
        range(7, 11),
        range(11, 12),
    ]


def test_tests_that_reach_the_statement_are_tried_nearest_first(module):
    lines = {"8": ["tests/t.py::s", "tests/a/test_y.py::r"], "11": ["tests/b/test_x.py::q"]}
    assert list(reach(lines).batches(module, 9)) == [["tests/a/test_y.py::r"], ["tests/t.py::s"]]
    assert list(reach(lines).batches(module, 11)) == [["tests/b/test_x.py::q"]]
    assert list(reach(lines).batches(module, 5)) == []


def test_all_tests_are_tried_where_a_line_runs_before_any(module):
    assert list(reach({"2": [""]}).batches(module, 2)) == [
        ["tests/a/test_y.py::r"],
        ["tests/b/test_x.py::q", "tests/t.py::s"],
    ]


def test_a_test_that_has_noticed_a_mutant_there_comes_first(module):
    found = reach({"2": [""], "11": ["tests/t.py::s"]})
    found.notice(module, 2, "tests/t.py::s")
    assert next(found.batches(module, 2)) == ["tests/t.py::s"]
    assert next(found.batches(module, 11)) == ["tests/t.py::s"]


def test_a_run_goes_on_where_one_of_the_same_tree_was_interrupted(tmp_path):
    (tree := tmp_path / "tree").mkdir()
    (tree / "sums.py").write_text(SUMS)
    kept = Fates.of(tree, tmp_path)
    kept.keep("a", "survived", ["- a + b", "+ a - b"])
    kept.keep("b", "killed", [])
    with kept.file.open("a") as file:
        file.write('["c", "kil')
    for _ in range(2):
        kept = Fates.of(tree, tmp_path)
        assert kept.known == {"a": ("survived", ["- a + b", "+ a - b"]), "b": ("killed", [])}
    kept.keep("c", "killed", [])
    assert list(Fates.of(tree, tmp_path).known) == ["a", "b", "c"]
    kept.forget()
    assert Fates.of(tree, tmp_path).known == {}


def test_what_became_of_mutants_says_nothing_of_another_tree(tmp_path):
    (tree := tmp_path / "tree").mkdir()
    (tree / "sums.py").write_text(SUMS)
    Fates.of(tree, tmp_path).keep("a", "killed", [])
    (tree / "sums.py").write_text(SUMS.replace("3", "4"))
    assert Fates.of(tree, tmp_path).known == {}
    assert list(tmp_path.glob("*.jsonl")) == []


def started(folder, module, *arguments, given=""):
    # The processes record on their own account, also where `make coverage` does.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment |= {"PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", f"scripts.mutation.{module}", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_tests_run_with_the_mutant_in_the_place_of_its_module(tmp_path):
    for name, text in {"thing/__init__.py": "", "thing/sums.py": SUMS, "tests/test_sums.py": TESTS}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    recording = tmp_path / "recording.json"
    started(tmp_path, "recording", "thing", "tests", recording)
    content = json.loads(recording.read_text())
    small, large, limit = (f"tests/test_sums.py::test_{name}" for name in ("small", "large", "limit"))
    assert set(content["seconds"]) == {small, large, limit}
    lines = content["lines"]["thing/sums.py"]
    assert (lines["2"], sorted(lines["6"]), lines["11"]) == ([""], sorted([small, large]), [small])

    def request(before, after, *tests):
        source = SUMS.replace(before, after)
        path = str(tmp_path / "thing" / "sums.py")
        return json.dumps({"module": "thing.sums", "path": path, "source": source, "tests": tests, "seconds": 60})

    requests = [
        request("", "", small, large, limit),
        request("b + a", "b - a", limit, large, small),
        request("b + a", "b - a", large),
        request("LIMIT = 3", "LIMIT = 4", small, limit),
        request("LIMIT = 3", "LIMIT = nothing", limit),
    ]
    said = started(tmp_path, "server", recording, tmp_path / "filled", given="\n".join(requests))

    answers = [json.loads(line) for line in said.splitlines()]
    assert [answer["outcome"] for answer in answers] == ["passed", "failed", "passed", "failed", "failed"]
    assert [answers[number]["test"] for number in (1, 3)] == [small, limit]
    assert (tmp_path / "thing" / "sums.py").read_text() == SUMS
