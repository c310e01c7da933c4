"""docs/glossary.md is what the code says: its places are there, and given-up words do not come back."""

import ast
import re
import subprocess
from fnmatch import fnmatch

import pytest

from olist_pipeline.settings import PROJECT_DIR

GLOSSARY = PROJECT_DIR / "docs" / "glossary.md"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| \[`(\w+)`\]\(\.\./([\w/.]+)\) \|$", re.MULTILINE)
ROWS = ROW.findall(GLOSSARY.read_text("utf-8"))

GIVEN_UP = {
    "valid": re.compile(r"(?<![a-z])sound(?![a-z]|_and_audio)", re.IGNORECASE),
    "validate, validated": re.compile(r"(\b|_)(un)?(judg(e|es|ed|ing|ement))(\b|_)|Judged[A-Z]", re.IGNORECASE),
    "read, ingest": re.compile(r"\btake_in\b|\btaken_in_"),
    "Aggregation": re.compile(r"\bFold\b"),
    "fail_killed_runs": re.compile(r"\bbury_"),
    "monthly": re.compile(r"orders[ _]bear|borne by (one|an) order"),
    "a plain verb": re.compile(r"(?<![a-z])told(?![a-z]|[ _]apart)", re.IGNORECASE),
}
"""By the word in its place: `told` had to be read twice, for it was said of events, alerts and figures alike."""

LATER = (
    "olist_pipeline/audit/*",
    "tests/pipeline/audit/*",
)
"""Where such words still are. Whoever mends the last one of a line takes the line away."""

SEARCHED = ("*.py", "*.md", "*.sql", "*.yml", "*.yaml", "*.toml", "*.jinja", "*.css", ".importlinter")
OWN = {"docs/glossary.md", "tests/docs/test_glossary.py"}


def names_in(path):
    """Return what a module defines, its own name and attributes of its classes included."""
    found = {path.stem if path.stem != "__init__" else path.parent.name}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def files():
    listed = subprocess.run(
        ["git", "ls-files", "--", *SEARCHED], cwd=PROJECT_DIR, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a checkout: git lists no files")
    return [name for name in listed.stdout.splitlines() if name not in OWN and (PROJECT_DIR / name).exists()]


def test_every_line_of_the_tables_is_read():
    lines = [line for line in GLOSSARY.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert len(lines) == len(ROWS) + GLOSSARY.read_text("utf-8").count("| word |")
    words = [word for word, *_ in ROWS]
    assert len(words) == len(set(words)) > 60


@pytest.mark.parametrize(("word", "meaning", "name", "file"), ROWS, ids=[word for word, *_ in ROWS])
def test_a_word_is_one_sentence_and_has_a_place_that_says_it(word, meaning, name, file):
    path = PROJECT_DIR / file
    assert name in names_in(path)
    assert re.fullmatch(r"[^.]+(\.[a-z][^.]*)*\.", meaning), "one sentence"
    text = re.sub(r"[\W_]+", "", path.read_text("utf-8").lower())
    for part in word.split(", "):
        assert re.sub(r"[\W_]+", "", part) in text, f"{file} does not say {part}"


def test_no_word_that_was_given_up_comes_back():
    later, back = set(), []
    for name in files():
        text = (PROJECT_DIR / name).read_text("utf-8")
        found = [f"{name} says {hit[0]!r}: {plain}" for plain, word in GIVEN_UP.items() if (hit := word.search(text))]
        kept = [pattern for pattern in LATER if fnmatch(name, pattern)]
        if kept and found:
            later.update(kept)
        elif not kept:
            back += found
    assert back == []
    assert later == set(LATER), "take the others out of LATER"


SAME_MEANING = {"FactsT", "Ints"}
"""Types that two modules may name alike, for they are the same."""

TWO_MEANINGS = {"Content", "Package", "Query", "Reader", "Relation"}
"""Names of types that still have two meanings. Whoever renames one takes it away."""


def types_of(path):
    """Yield the types that a module defines: classes, and names in capitals-and-small that are given a type."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            names = (target.id for target in node.targets if isinstance(target, ast.Name))
            yield from (name for name in names if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name))


def test_a_type_has_one_meaning():
    places: dict[str, list[str]] = {}
    for name in files():
        if name.startswith(("olist_pipeline/", "dashboards/")) and name.endswith(".py"):
            for kind in types_of(PROJECT_DIR / name):
                places.setdefault(kind, []).append(name)
    twice = {kind: found for kind, found in places.items() if len(found) > 1 and kind not in SAME_MEANING}
    assert {kind: found for kind, found in twice.items() if kind not in TWO_MEANINGS} == {}
    assert twice.keys() == TWO_MEANINGS, "take the others out of TWO_MEANINGS"
