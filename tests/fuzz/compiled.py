"""Compiling the dbt project for the mutants: once for all workers of a session, for it takes seconds."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from olist_pipeline.orchestration.forked_dbt import ASKING
from olist_pipeline.settings import DBT_DIR
from tests.fuzz.trees import AS_OF, HOME, LANDING

READING = {"OLIST_DATA_DIR": LANDING, "PATH": "/usr/bin:/bin", "HOME": "/"}


def compiled_manifest(folder: Path, dbt: Mapping[str, str]) -> Path:
    """Return the manifest with the compiled SQL of the whole project; its paths and its date stand for others.

    `dbt` is the variable that names a fork server of dbt, or nothing.
    """
    manifest = folder / "target" / "manifest.json"
    if manifest.exists():
        return manifest
    (folder / "home").mkdir(parents=True)
    options = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    result = subprocess.run(
        [*ASKING, "compile", "--quiet", "--no-populate-cache", "--vars", f"{{as_of: {AS_OF}}}", *options],
        cwd=DBT_DIR,
        env={**READING, "OLIST_HOME": str(folder / "home"), **dbt},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace(str(folder / "home"), HOME), "utf-8")
    return manifest
