"""The private names that this folder lives on are all written down, and each does what its module says."""

import ast
import re
from pathlib import Path

import pytest

from olist_pipeline.orchestration import internals

FOLDER = Path(internals.__file__).parent
DOCUMENT = Path(__file__).parents[4] / "docs" / "upgrading.md"
THIRD_PARTIES = ("dagster", "dagster_dbt", "dagster_postgres", "dagster_shared")


def is_private(module: str, name: str) -> bool:
    return any(part.startswith("_") for part in (*module.split("."), name))


def private_imports(path: Path) -> set[str]:
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in THIRD_PARTIES
        for alias in node.names
        if is_private(node.module, alias.name)
    }


MODULES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_each_module_says_which_private_names_it_uses_and_which_public_way_was_tried(path):
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert re.search(r"\bPrivate: ", docstring)
    assert re.search(r"\bPublicly, |public setting|are public", docstring)
    listed = DOCUMENT.read_text("utf-8")
    for name in private_imports(path):
        assert f"`{name}`" in listed, f"{name} of {path.name} is not in docs/upgrading.md"


def test_the_document_lists_no_name_that_is_no_longer_used():
    table = re.findall(r"^\| `internals/(\w+)\.py` \| (.+?) \|", DOCUMENT.read_text("utf-8"), flags=re.M)
    assert {name for name, _ in table} == {path.stem for path in MODULES}
    for module, names in table:
        source = (FOLDER / f"{module}.py").read_text("utf-8")
        assert all(re.search(rf"\b{name}\b", source) for name in re.findall(r"`(\w+)`", names)), module
