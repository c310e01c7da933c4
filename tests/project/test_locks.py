"""The locks: what runs in one, what tests and checks besides in the other, from whatever index a machine has."""

import re
import tomllib
from itertools import groupby
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
RUN, DEV, DOCS = "requirements.lock", "requirements-dev.lock", "requirements-docs.lock"
S3, SPARK = "requirements-s3.lock", "requirements-spark.lock"


LOCKS = [
    (RUN, [None, "build"]),
    (DEV, [None, "dev"]),
    (DOCS, ["docs"]),
    (S3, [None, "build", "s3"]),
    (SPARK, [None, "build", "spark"]),
]


def pinned(lock):
    """Return the requirements of a lock by name, without their hashes: several where Pythons differ."""
    lines = re.findall(r"^([a-z0-9].*?) \\$", (PROJECT / lock).read_text(), flags=re.M)
    found = sorted((Requirement(line) for line in lines), key=lambda one: one.name)
    return {canonicalize_name(name): list(some) for name, some in groupby(found, key=lambda one: one.name)}


def declared(group=None):
    """Return what pyproject.toml declares: what runs, an extra, or a group with the groups that it includes."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    if group is None:
        return [Requirement(line) for line in project["project"]["dependencies"]]
    lines = project["project"]["optional-dependencies"].get(group) or project["dependency-groups"][group]
    included = [line["include-group"] for line in lines if isinstance(line, dict)]
    return [Requirement(line) for line in lines if isinstance(line, str)] + [
        one for name in included for one in declared(name)
    ]


@pytest.mark.parametrize(("lock", "groups"), LOCKS)
def test_a_lock_has_every_declared_package_in_a_version_that_is_allowed(lock, groups):
    locked = pinned(lock)
    for wanted in (one for group in groups for one in declared(group)):
        versions = [str(one.specifier).removeprefix("==") for one in locked[canonicalize_name(wanted.name)]]
        assert all(wanted.specifier.contains(version) for version in versions), wanted


def test_what_runs_does_not_bring_what_tests():
    assert not {"pytest", "mypy", "ruff", "hypothesis", "playwright", "import-linter", "coverage"} & set(pinned(RUN))


@pytest.mark.parametrize("lock", [DEV, S3, SPARK])
def test_locks_agree_on_what_runs(lock):
    run, other = pinned(RUN), pinned(lock)
    assert {name: [one.specifier for one in some] for name, some in run.items()} == {
        name: [one.specifier for one in other[name]] for name in run
    }


def test_what_runs_does_not_bring_spark():
    assert "pyspark" not in pinned(RUN) | pinned(DEV)
    assert "pyspark" in pinned(SPARK)


@pytest.mark.parametrize("lock", [RUN, DEV, DOCS, S3, SPARK])
def test_a_lock_has_hashes_and_no_address(lock):
    text = (PROJECT / lock).read_text()
    assert not re.search(r"://|^-|@ ", text, flags=re.M)
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert len(entries) == sum(map(len, pinned(lock).values()))
    assert all("--hash=sha256:" in entry for entry in entries)
