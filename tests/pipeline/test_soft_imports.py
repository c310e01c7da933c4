"""No module goes on without a part of the product that it could not import."""

import ast
from pathlib import Path

import olist_pipeline

SOURCE = Path(olist_pipeline.__file__).parent
IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError"}
OF_THE_SYSTEM = {"resource"}
"""Modules of Python that other systems lack; what stands in for them is said where they are imported."""


def soft_imports(tree):
    """Yield the line of each import whose failure is caught and does not end in an exception."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            imported = {alias.name for item in node.body if isinstance(item, ast.Import) for alias in item.names}
            for handler in node.handlers:
                caught = (
                    {name.id for name in ast.walk(handler.type) if isinstance(name, ast.Name)} if handler.type else {}
                )
                raises = any(isinstance(item, ast.Raise) for item in ast.walk(handler))
                if IMPORT_ERRORS & set(caught) and not raises and not (imported and imported <= OF_THE_SYSTEM):
                    yield handler.lineno
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress":
            names = {getattr(name, "id", "") for name in node.args}
            yield from [node.lineno] if IMPORT_ERRORS & names else []


def test_an_import_that_fails_is_never_passed_over():
    found = [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in SOURCE.rglob("*.py")
        for line in soft_imports(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_the_search_finds_them():
    assert list(soft_imports(ast.parse("try:\n    import a\nexcept ImportError:\n    a = None"))) == [3]
    assert list(soft_imports(ast.parse("with suppress(ImportError):\n    import a"))) == [1]
