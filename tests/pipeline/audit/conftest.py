"""The two trees of this project, audited once for all tests of a worker, and compiled once by dbt."""

import json
from pathlib import Path

import pytest

from olist_pipeline.audit.trace import audit_new, audit_old


@pytest.fixture(scope="session")
def old():
    return audit_old()


@pytest.fixture(scope="session")
def new():
    return audit_new()


@pytest.fixture(scope="session")
def manifest(compiled_project) -> Path:
    """The manifest that dbt itself writes when it compiles the project."""
    return compiled_project


@pytest.fixture(scope="session")
def compiled(manifest) -> dict[str, str]:
    """The SQL that dbt compiled, by model."""
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and "compiled_code" in node]
    return {node["name"]: node["compiled_code"] for node in models}
