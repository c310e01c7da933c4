"""The counts of the audit: what they count, and that they are kept no longer than they hold."""

import json
import shutil
from dataclasses import dataclass

import pytest

from olist_domain.kernel.facts import Fact, choose
from olist_domain.kernel.rules import Rulebook, derivation
from olist_pipeline import replaced
from olist_pipeline.audit import stored, trace
from olist_pipeline.audit.stored import AuditCounts, counted
from olist_pipeline.migration.load import load_migration
from olist_pipeline.registry import CONTEXTS
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.validation.context import Context

MIGRATION = """
version: 1
contexts: contexts
old: {project: cityhire}
landing: {raw_schema: raw, files: {rides.csv: {source: raw.rides}}}
new: {project: new}
models: {riding: ["ride*"], docks: [dock_list]}
"""

OTHER = AuditCounts({"sales": 4}, {"sales": 3}, {"sales": 1})


@pytest.fixture
def counting(monkeypatch):
    """What is counted, once each time that it is asked for."""
    asked = []

    def count():
        asked.append(1)
        return OTHER

    monkeypatch.setattr(stored, "_count", count)
    return asked


def test_is_counted_once_for_a_key_and_again_for_another(tmp_path, counting):
    for key in ("a", "a", "b", "b"):
        assert counted(tmp_path / "home" / "audit.json", key) == OTHER
    assert len(counting) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": "a"}', '{"key": "a", "counted": {"wrong": 1}}'])
def test_a_file_that_cannot_be_read_is_counted_anew(tmp_path, counting, text):
    (tmp_path / "audit.json").write_text(text)
    assert counted(tmp_path / "audit.json", "a") == OTHER
    assert json.loads((tmp_path / "audit.json").read_text())["key"] == "a"


def test_where_nothing_can_be_kept_it_is_counted_all_the_same(tmp_path, counting):
    (tmp_path / "home").write_text("a file, in which there is no place, as on a disk that is full or cannot be written")
    assert counted(tmp_path / "home" / "audit.json", "a") == OTHER


def test_a_hundred_percent_only_where_all_has_moved():
    assert AuditCounts({"a": 200}, {"a": 199}, {}).percent("a") == 99
    assert AuditCounts({"a": 200}, {"a": 200}, {}).percent("a") == 100
    assert AuditCounts({}, {}, {}).percent("a") is None


@pytest.mark.slow
def test_the_two_trees_are_counted(tmp_path):
    found = counted(tmp_path / "audit.json", "now")
    assert set(CONTEXTS) <= set(found.findings)
    assert found.moved == found.findings, "all logic of the old tree has a rule"
    assert sum(found.cases.values()) == 0, "the new tree has none"


@dataclass(frozen=True, eq=False)
class RideFacts:
    """What the derivation reads."""

    minutes: Fact[int]


@derivation(replaces=("ride_list.ride_length",))
def ride_length(row: RideFacts) -> Fact[str]:
    """Short below 10 minutes."""
    return choose((row.minutes < 10, "short"), default="long")


def test_the_trees_are_those_of_the_migration_file(tmp_path, monkeypatch):
    """Of a project of strangers: its contexts, what its rules replace, and the CASE that is left in its new models."""
    shutil.copytree(PROJECT_DIR / "tests" / "foreign" / "cityhire", tmp_path / "cityhire")
    (tmp_path / "new" / "models").mkdir(parents=True)
    (tmp_path / "new" / "dbt_project.yml").write_text("name: hire\n")
    left = "select case when minutes > 90 then 'very long' else 'usual' end as length_of from rides"
    (tmp_path / "new" / "models" / "rides_again.sql").write_text(left)
    (tmp_path / "migration.yml").write_text(MIGRATION)
    (tmp_path / "audit_waivers.yml").write_text("- {model: dock_list, column: zone, reason: A label for one report}\n")
    book = Rulebook("riding", "ride", "rides", RideFacts, rules=(), derivations=(ride_length,))
    migration = load_migration(tmp_path / "migration.yml")
    for module in (trace, replaced):
        monkeypatch.setattr(module, "present_migration", lambda: migration)
    monkeypatch.setattr(replaced, "CONTEXTS", {"riding": Context("riding", (), (), (book,))})
    stored._count.cache_clear()
    try:
        found = counted(tmp_path / "home" / "audit.json", "foreign")
    finally:
        stored._count.cache_clear()
    assert (found.findings["docks"], found.moved["docks"], found.percent("docks")) == (1, 1, 100)
    assert found.moved["riding"] == 1 < found.findings["riding"]
    assert found.cases == {"riding": 1}
