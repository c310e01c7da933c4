"""`olist --version`: the release that pyproject.toml declares, and the commit of a checkout."""

import re
import subprocess
import tomllib

from click.testing import CliRunner

from olist_pipeline import version
from olist_pipeline.cli.main import cli
from olist_pipeline.settings import PROJECT_DIR

DECLARED = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]["version"]


def said():
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    return result.output.strip()


def checkout(folder, monkeypatch):
    monkeypatch.setattr(version, "PROJECT_DIR", folder)
    name = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "one", "--allow-empty"]):
        subprocess.run(["git", "-C", folder, *command], check=True)


def test_outside_of_a_checkout_it_is_the_release(monkeypatch, tmp_path):
    monkeypatch.setattr(version, "PROJECT_DIR", tmp_path)
    assert said() == f"olist {DECLARED}"


def test_in_a_checkout_it_names_the_commit_and_whether_files_differ(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("one")
    checkout(tmp_path, monkeypatch)
    assert re.fullmatch(rf"olist {re.escape(DECLARED)} \([0-9a-f]{{7,}}\)", said())
    (tmp_path / "file").write_text("two")
    assert said().endswith(", changed)")


def test_without_git_it_is_the_release(monkeypatch, tmp_path):
    checkout(tmp_path, monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert said() == f"olist {DECLARED}"
