"""No package but the contexts, the catalogue and the generator knows a table, a file or a column of Olist."""

import ast
import re

from olist_pipeline.registry import LANDING
from olist_pipeline.settings import PROJECT_DIR

ROOT = PROJECT_DIR / "olist_pipeline"
OF_OLIST = ("contexts/", "synthetic/", "landing/catalogue.py", "olist_contexts.py")
WORDS_OF_THE_TRADE = ("audit/",)
"""The audit compares names by the words in them, whoever's they are."""
GENERATING = {"cli/data.py": {"orders"}, "cli/run.py": {"orders"}}
"""`olist data generate --orders` makes a set of Olist's; so does a first run without files."""

TABLES = set(LANDING)
COLUMNS = {column for table in LANDING.values() for column in table.columns}
FILES = {table.file.removesuffix(".csv") for table in LANDING.values()}
TELLING = re.compile(rf"\b({'|'.join(sorted(name for name in TABLES | COLUMNS | FILES if '_' in name))})\b")
MODULES = [
    str(path.relative_to(ROOT))
    for path in sorted(ROOT.rglob("*.py"))
    if not str(path.relative_to(ROOT)).startswith(OF_OLIST + WORDS_OF_THE_TRADE)
]


def names_in(module: str) -> set[str]:
    """Return the names of Olist's in a module: anywhere if two words make them, else as a string of their own."""
    text = (ROOT / module).read_text("utf-8")
    strings = {str(node.value) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    return set(TELLING.findall(text)) | (strings & (TABLES | COLUMNS))


def test_names_are_found_where_they_are():
    assert names_in("contexts/sales/validation.py") >= {"order_id", "orders", "order_items"}


def test_no_module_knows_a_table_of_olist():
    known = {module: names_in(module) - GENERATING.get(module, set()) for module in MODULES}
    assert {module: names for module, names in known.items() if names} == {}
