"""`olist migration init`: what it leaves beside the file, and that it leaves nothing where it fails."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.migration import check, init
from olist_pipeline.cli.scaffold import scaffold
from olist_pipeline.drafts import writing
from olist_pipeline.drafts.migration_file import first_text
from olist_pipeline.drafts.writing import FirstFile
from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration import migration_check
from olist_pipeline.orchestration.migration_check import Checked
from tests.environment import bare
from tests.pipeline.migration.test_file import SMALL, written


def test_a_first_file_has_its_module_of_contexts(tmp_path, monkeypatch):
    first = FirstFile(first_text(tmp_path / "shop", {"variable": "landing"}, "new", {}), ())
    monkeypatch.setattr(writing, "write_first_file", lambda *_, **__: first)
    for folder in ("one", "two"):
        result = CliRunner().invoke(init, [str(tmp_path), "--no-run", "--out", str(tmp_path / folder / "m.yml")])
        assert result.exit_code == 0, result.output
    module = tmp_path / "one" / "contexts.py"
    assert "CONTEXTS = ()" in module.read_text()
    (tmp_path / "one" / "m.yml").unlink()
    module.write_text("CONTEXTS = (SALES,)\n")
    assert (
        CliRunner().invoke(init, [str(tmp_path), "--no-run", "--out", str(tmp_path / "one" / "m.yml")]).exit_code == 0
    )
    assert module.read_text() == "CONTEXTS = (SALES,)\n", "a file that is there stays as it is"


def test_where_it_fails_it_leaves_no_folder(tmp_path):
    result = CliRunner().invoke(init, [str(tmp_path), "--no-run", "--out", str(tmp_path / "deep" / "er" / "m.yml")])
    assert "is no dbt project" in str(result.exception)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("files", [{}, {"rides.csv": {}}])
def test_what_nobody_could_guess_is_left_to_do(tmp_path, files):
    said = writing.what_is_missing({"files": files}, tmp_path / "new")
    assert any("no landing files" in line for line in said) is not bool(files)
    assert any("new is no dbt project yet" in line for line in said)


def test_a_file_that_the_drafts_there_do_not_have_is_refused_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "shop" / "models").mkdir(parents=True)
    (tmp_path / "shop" / "models" / "rides.sql").write_text("select a > 5 as big from t")
    (tmp_path / "shop" / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    for name in ("rides", "docks"):
        (tmp_path / f"{name}.csv").write_text("id\n1\n")
    monkeypatch.setenv("OLIST_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OLIST_MIGRATION", str(written(tmp_path, SMALL)))
    for _ in range(2):
        assert CliRunner().invoke(scaffold, ["riding", "--file", "rides.csv"]).exit_code == 0
    assert "the migration file names none yet" in str(CliRunner().invoke(scaffold, ["riding"]).exception)
    written(tmp_path, SMALL.replace("data_dir}", "data_dir, files: {rides.csv: {}}}"))
    drafted = CliRunner().invoke(scaffold, ["riding", "--out", str(tmp_path / "only")])
    assert drafted.exit_code == 0
    assert "no finding of riding; the contexts of old are: none." in drafted.output
    assert "class RidesRecord" in (tmp_path / "only" / "riding" / "records.py").read_text()
    written(tmp_path, SMALL.replace("data_dir}", "data_dir, files: {rides.csv: {}}}\nmodels: {ridings: [rides]}"))
    result = CliRunner().invoke(scaffold, ["Riding", "--out", str(tmp_path / "mistyped")])
    assert "The old project has no context 'Riding', but ridings" in str(result.exception)
    assert not (tmp_path / "mistyped").exists()
    written(tmp_path, SMALL)
    result = CliRunner().invoke(scaffold, ["riding", "--file", "rides.csv", "--file", "docks.csv"])
    assert str(result.exception).startswith(
        f"Nothing is written of docks.csv: {tmp_path / 'riding' / '__init__.py'} is"
    )


@pytest.mark.parametrize(
    ("context", "place"), [("calendar", "its own"), ("yaml", "__init__.py"), ("__main__", "its own")]
)
def test_a_context_that_python_would_take_for_another_module_is_refused(tmp_path, monkeypatch, context, place):
    """`from calendar.declared import ...` would never find the draft."""
    monkeypatch.setenv("OLIST_MIGRATION", str(written(tmp_path, SMALL)))
    refused = str(CliRunner().invoke(scaffold, [context, "--file", "rides.csv"]).exception)
    assert refused.startswith(f"Python has a module {context} already (")
    assert place in refused


def test_no_draft_is_written_into_this_repository_by_who_forgot_to_name_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    monkeypatch.delenv("OLIST_MIGRATION", raising=False)
    refused = str(CliRunner().invoke(scaffold, ["riding", "--file", "rides.csv"]).exception)
    assert "is of this repository's own warehouse; name the file of yours" in refused


def test_what_is_wrong_before_a_run_is_said_where_that_run_fails(monkeypatch):
    def fails(*_):
        raise OlistError("The old project does not run.")

    monkeypatch.setattr(migration_check, "checked", lambda _: Checked(problems=["orders has no idd; did you mean id?"]))
    monkeypatch.setattr(migration_check, "columns_that_change", fails)
    result = CliRunner().invoke(check, ["--twice"])
    assert "problem: orders has no idd; did you mean id?\nproblem: The old project does not run\n" in result.output
    assert str(result.exception).endswith(
        "does not fit: orders has no idd; did you mean id; The old project does not run."
    )


@pytest.mark.long
def test_a_first_file_may_be_named_by_the_environment_before_it_is_there(tmp_path):
    environment = {**bare(), "OLIST_HOME": str(tmp_path / "home"), "OLIST_MIGRATION": str(tmp_path / "migration.yml")}
    command = [sys.executable, "-m", "olist_pipeline", "migration", "init", str(tmp_path)]
    said = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.stderr.startswith(f"olist: {tmp_path} is no dbt project")
