"""`olist audit`: formats, files and exit codes, on a project that is not this one."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from olist_pipeline.cli import main
from olist_pipeline.cli.audit import audit

RULE = "select case when orders > 10 then 'VIP' else 'NEW' end as segment from customers"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "customers.sql").write_text(RULE)
    return tmp_path


def ran(*arguments):
    return CliRunner().invoke(audit, list(map(str, arguments)))


def test_a_folder_that_was_read_is_success(folder):
    result = ran(folder)
    assert result.exit_code == 0, result.output
    assert "customers.sql:1  segment" in result.output
    assert "Segment is VIP when orders is more than 10; NEW otherwise." in result.output
    assert "1 finding (0 High, 0 Medium, 1 Low) in 1 file, read as duckdb (nothing says which)." in result.output


def test_a_file_that_could_not_be_read_is_no_success(folder):
    (folder / "broken.sql").write_text("select a from (")
    result = ran(folder)
    assert result.exit_code == 1
    assert "broken.sql:1" in result.output
    assert "customers.sql:1  segment" in result.output


def test_open_findings_fail_when_they_shall(folder):
    assert ran(folder, "--fail-on-open").exit_code == 1
    (folder / "audit_waivers.yml").write_text("- {model: customers, column: segment, reason: It stays for now.}")
    result = ran(folder, "--fail-on-open")
    assert (result.exit_code, "It stays for now." in result.output) == (0, True)


def test_a_finding_of_another_project_is_not_migrated_by_this_ones_rules(folder):
    (folder / "int_customers.sql").write_text(RULE.replace("segment", "customer_segment"))
    report = json.loads(ran(folder, "--json").stdout)
    assert {row["state"] for row in report["findings"]} == {"open"}


@pytest.mark.parametrize(("name", "start"), [("r.html", "<!doctype html>"), ("r.csv", "file,line"), ("r.json", "{")])
def test_a_file_says_its_form_by_its_name(folder, name, start):
    result = ran(folder, "--out", folder / name)
    assert result.exit_code == 0
    assert (folder / name).read_text().startswith(start)


def test_a_file_of_another_name_is_the_table(folder):
    assert ran(folder, "--out", folder / "report.txt").exit_code == 0
    assert "Where to begin" in (folder / "report.txt").read_text()
    assert json.loads(ran(folder, "--format", "json").stdout)["files"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "There is nothing at nowhere"),
        ([".", "--dialect", "klingon"], "There is no SQL dialect 'klingon'; there are: "),
        ([".", "--seconds", "0"], "--seconds must be more than 0"),
        ([".", "--seconds", "nan"], "--seconds must be more than 0"),
        ([".", "--seconds", "1e300"], "--seconds must be more than 0 and at most 86,400"),
        ([".", "--waivers", "nowhere.yml"], "There is no file of waivers nowhere.yml"),
        (["dbt", "--manifest", "nowhere.json"], "There is no manifest at nowhere.json"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, words, folder, monkeypatch, capsys):
    (folder / "dbt").mkdir()
    (folder / "dbt" / "dbt_project.yml").write_text("name: shop")
    (folder / "dbt" / "model.sql").write_text(RULE)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["olist", "audit", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("olist: ")
    assert words in line


def test_it_needs_no_state_and_no_server(folder):
    """The command as another team would run it: no environment of this project, in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OLIST_", "DAGSTER_"))}
    environment |= {"OLIST_HOME": str(folder / "never"), "OLIST_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "-c", "from olist_pipeline.cli import main; main()", "audit", ".", "--json"]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["findings"][0]["column"] == "segment"
    assert not (folder / "never").exists()
