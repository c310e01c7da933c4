"""The two trees of this project, audited once for all tests of a worker, and compiled once by dbt."""

import json
import subprocess
from pathlib import Path

import pytest

from olist_pipeline.audit.trace import NEW_TREE, OLD_TREE, audit_own
from olist_pipeline.settings import DBT, DBT_DIR


@pytest.fixture(scope="session")
def old():
    return audit_own(OLD_TREE)


@pytest.fixture(scope="session")
def new():
    return audit_own(NEW_TREE)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory) -> Path:
    """The manifest that dbt itself writes when it compiles the old tree; the date spares it a look into landing."""
    home = tmp_path_factory.mktemp("compiled")
    options = ["--target-path", str(home / "target"), "--log-path", str(home / "logs"), "--vars", "{as_of: 2018-10-17}"]
    result = subprocess.run(
        [*DBT, "compile", "--select", "path:models/old", "--quiet", "--no-populate-cache", *options],
        cwd=DBT_DIR,
        env={"OLIST_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return home / "target" / "manifest.json"


@pytest.fixture(scope="session")
def compiled(manifest) -> dict[str, str]:
    """The SQL that dbt compiled, by model."""
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and "compiled_code" in node]
    return {node["name"]: node["compiled_code"] for node in models}
