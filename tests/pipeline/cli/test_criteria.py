"""`olist criteria`: what it prints, and when it exits with 0."""

import json

import pytest
from click.testing import CliRunner

from olist_pipeline.audit.stored import AuditCounts
from olist_pipeline.cli.criteria import criteria
from olist_pipeline.serving import criteria as scoring


@pytest.fixture
def asked(settings, monkeypatch):
    """What asks for the criteria with some options."""
    monkeypatch.setenv("OLIST_HOME", str(settings.home))
    monkeypatch.setenv("OLIST_DATA_DIR", str(settings.landing))
    monkeypatch.setenv("OLIST_POSTGRES_URL", settings.postgres_url)
    monkeypatch.setattr(scoring, "audit_counts", lambda settings: AuditCounts({}, {}, {}))
    return lambda *options: CliRunner().invoke(criteria, options, catch_exceptions=False)


def test_json_has_every_criterion_and_the_timeline(asked):
    result = asked("--json")
    said = json.loads(result.output)
    assert set(said) == {"criteria", "timeline", "unrecorded"}
    assert {"name", "context", "is_green", "value", "target", "evidence", "since"} == set(said["criteria"][0])
    assert result.exit_code == 1, "nothing was compared yet"


def test_a_person_reads_state_value_and_since_in_eighty_columns(asked):
    result = asked("--evidence")
    assert "not known" in result.output
    assert "`olist run` compares" in result.output
    assert max(map(len, result.output.splitlines())) <= 80
