"""The counts of the audit: what they count, and that they are kept no longer than they hold."""

import json

import pytest

from olist_pipeline.audit import stored
from olist_pipeline.audit.stored import AuditCounts, counted
from olist_pipeline.registry import CONTEXTS

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
