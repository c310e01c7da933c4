"""What Spark needs of a machine: whoever lacks it reads in one sentence what to install."""

import importlib.util
import re

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.registry import STEPS
from olist_pipeline.settings import Settings
from olist_pipeline.spark import requirements
from olist_pipeline.spark.requirements import EXTRA, check, missing
from olist_pipeline.steps import runner_of
from olist_pipeline.validation.units import run_locally

JAVA = """#!/bin/sh
echo 'openjdk version "{version}" 2025-04-15' >&2
"""


@pytest.fixture
def installed(monkeypatch):
    """The extra, as far as anybody asks whether it is here."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found("json" if name in EXTRA else name))


@pytest.fixture
def java(tmp_path, monkeypatch):
    """A folder of programs in which a test puts its own Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(version):
        (tmp_path / "java").write_text(JAVA.format(version=version))
        (tmp_path / "java").chmod(0o755)

    return put


@pytest.mark.parametrize(("module", "package"), EXTRA.items())
def test_without_the_extra_it_says_how_to_install_it(monkeypatch, installed, module, package):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else found(name))
    assert "make run ENGINE=spark" in missing("local[*]")
    with pytest.raises(OlistError, match=rf"^OLIST_ENGINE is spark, and {package} is not installed; .*\.$"):
        check("local[*]")


def test_without_java_it_says_what_to_install(installed, java):
    assert missing("local[*]") == (
        "OLIST_ENGINE is spark, and there is no Java here; install Java 17 or later (Debian: default-jre-headless), or "
        "let JAVA_HOME name one."
    )


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22"])
def test_a_java_that_is_too_old_is_named(installed, java, version):
    java(version)
    assert f"is Java {version}; install Java 17 or later" in missing("spark://master:7077")


@pytest.mark.parametrize("version", ["17.0.15", "21", "25-ea"])
def test_a_java_that_fits_is_taken(installed, java, version):
    java(version)
    assert missing("local[*]") == ""


def test_a_home_of_java_without_one_is_named(installed, java, monkeypatch):
    java("17.0.15")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert "/nowhere/bin/java is no Java" in missing("local[*]")


def test_spark_connect_needs_no_java(installed, java):
    assert missing("sc://host:15002") == ""


def test_the_engine_is_polars_unless_it_is_named(tmp_path):
    settings = Settings.from_env({"OLIST_HOME": str(tmp_path)})
    assert (settings.engine, settings.spark_master) == ("polars", "local[*]")
    assert all(runner_of(settings, step).run is run_locally for step in STEPS)


def test_a_step_without_months_asks_nothing_of_spark(tmp_path, monkeypatch):
    monkeypatch.setattr(requirements, "missing", lambda _: "It was asked.")
    settings = Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_ENGINE": "spark"})
    assert all(runner_of(settings, step).run is run_locally for step in STEPS if not step.is_monthly)


@pytest.mark.parametrize("master", ["local", "local[4]", "spark://a:7077", "yarn", "k8s://https://a:6443", "sc://a"])
def test_masters_of_spark_are_taken(tmp_path, master):
    assert Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_SPARK_MASTER": master}).spark_master == master


@pytest.mark.parametrize("master", ["local[x]", "cluster", "http://a:7077", "spark://"])
def test_what_is_no_master_is_refused(tmp_path, master):
    with pytest.raises(OlistError, match=r"^OLIST_SPARK_MASTER is .*; set it to local"):
        Settings.from_env({"OLIST_HOME": str(tmp_path), "OLIST_SPARK_MASTER": master})


@pytest.mark.parametrize("mark", [";", "[", "]", "{", "}"])
def test_a_home_that_spark_cannot_name_is_refused_where_it_is_the_engine(tmp_path, mark):
    home = {"OLIST_HOME": str(tmp_path / f"a{mark}b")}
    assert Settings.from_env(home).engine == "polars"
    with pytest.raises(OlistError, match=rf"^OLIST_HOME is .*: Spark cannot use a path with '{re.escape(mark)}'; name"):
        Settings.from_env({**home, "OLIST_ENGINE": "spark"})
