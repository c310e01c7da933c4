"""What the image is made of: everything of ours that runs, importable from the copies alone, and nothing else."""

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
CONTAINERFILE = (PROJECT / "deploy" / "Containerfile").read_text()
NOT_RUN = {"tests", "benchmarks", "examples"}

NOT_IMPORTED = ["olist_pipeline.definitions", "olist_pipeline.stores.migrations.env"]
"""The one parses the dbt project, which .ci/image lets the built image do; the other is run by Alembic alone."""

EXTRAS = {"pyspark"}
"""The image does not have them; a module that needs one says so when it is imported."""

IMPORT_ALL = """
import importlib, importlib.util, json, pkgutil, sys
packages, skipped, extras = json.loads(sys.argv[1])
found = {}
for package in packages:
    path = importlib.import_module(package).__path__
    for name in [package, *(one.name for one in pkgutil.walk_packages(path, package + "."))]:
        found[name] = importlib.util.find_spec(name).origin
        if name not in skipped and not name.endswith("__main__"):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name not in extras:
                    raise
print(json.dumps(found))
"""


def copied():
    """Return what is copied from the checkout, with its place below the image's folder."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE.partition("WORKDIR /app")[2], flags=re.M)
    return [(source, place) for line in lines for *sources, place in [line.split()] for source in sources]


def own_packages():
    return {path.parent.name for path in PROJECT.glob("*/__init__.py")} - NOT_RUN


@pytest.mark.long
def test_every_module_of_ours_is_in_the_image_and_can_be_imported_from_it(tmp_path):
    for source, place in copied():
        path, target = PROJECT / source, tmp_path / (f"{place}/{source}" if place.endswith("/") else place)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        else:
            shutil.copy(path, target)
    command = [sys.executable, "-c", IMPORT_ALL, json.dumps([sorted(own_packages()), NOT_IMPORTED, sorted(EXTRAS)])]
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "OLIST_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # A package that is not copied would be found where this checkout is installed.
    assert {name: file for name, file in found.items() if not file.startswith(str(tmp_path))} == {}
    modules = [path for package in own_packages() for path in (PROJECT / package).rglob("*.py")]
    assert len(found) == len(modules)


def test_what_is_copied_is_not_ignored_and_nothing_else_enters_the_build():
    first, *rest = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert first == "*"
    allowed = {line[1:] for line in rest if line.startswith("!")}
    refused = [line for line in rest if not line.startswith("!")]
    sources = {source for source, _ in copied()} | {"requirements.lock", "deploy/wheels"}
    assert allowed == {source.split("/")[0] for source in sources}
    assert not [source for source in sources for line in refused if fnmatch(source, line)]


def test_the_base_is_pinned_by_its_content_and_no_other_image_is_named():
    [base] = re.findall(r"^ARG BASE=(\S+)$", CONTAINERFILE, flags=re.M)
    assert re.fullmatch(r"docker\.io/library/python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert re.findall(r"^FROM (\S+)", CONTAINERFILE, flags=re.M) == ["${BASE}", "${BASE}"]


def test_the_image_installs_the_run_time_lock_by_hash_and_runs_as_nobody_in_particular():
    assert "--require-hashes" in CONTAINERFILE
    assert "requirements-dev.lock" not in CONTAINERFILE
    last_user, command = re.findall(r"^(?:USER|CMD) (.+)$", CONTAINERFILE, flags=re.M)
    assert (last_user, command) == ("olist", '["olist", "run"]')
