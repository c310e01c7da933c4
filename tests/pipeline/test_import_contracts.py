"""Import contracts: every package of ours stands in one; `lint-imports` checks what they say."""

import configparser
import pkgutil

import pytest

import dashboards
import olist_domain
import olist_pipeline
from olist_pipeline.settings import PROJECT_DIR

ROOTS = (olist_domain, olist_pipeline, dashboards)
PACKAGES = [
    f"{root.__name__}.{module.name}" for root in ROOTS for module in pkgutil.iter_modules(root.__path__) if module.ispkg
]


def named() -> set[str]:
    """Return the modules that a contract speaks for: those that it restricts."""
    file = configparser.ConfigParser()
    file.read(PROJECT_DIR / ".importlinter")
    texts = [section.get(option, "") for section in file.values() for option in ("source_modules", "modules", "layers")]
    return {word for text in texts for word in text.replace("|", " ").split()}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_contract_speaks_of_every_package(package):
    root, *_ = package.split(".")
    assert {package, f"{root}.*", root} & named(), f"add {package} to a contract of .importlinter"
