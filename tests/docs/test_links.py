"""Every link from a document of the project to a file of it leads there, and every decision is in the index."""

import re
from pathlib import Path

import pytest

from olist_pipeline.settings import PROJECT_DIR

DOCUMENTS = [*PROJECT_DIR.glob("*.md"), *(PROJECT_DIR / "docs").rglob("*.md"), PROJECT_DIR / "dbt" / "README.md"]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)")
DOCS = PROJECT_DIR / "docs"
FOLDERS = ("olist_pipeline", "olist_domain", "dashboards", "examples", "tests", "scripts", "benchmarks", "deploy")
DECISIONS = DOCS / "decisions"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT_DIR).as_posix())
def test_a_link_leads_to_a_file(document):
    links = LINK.findall(document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT_DIR).as_posix())
def test_a_file_that_is_named_is_there(document):
    """But for those that a page has its reader write: it shows their text, or that of others in the same folder."""
    text = document.read_text("utf-8")
    named = set(re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w/.-]+)`", text))
    written = set(re.findall(r"^`([\w/.-]+)`$", text, re.MULTILINE))
    new = {Path(page).parent.name for page in written if not (PROJECT_DIR / page).parent.exists()}
    lacking = {path for path in named if not (PROJECT_DIR / path).exists()}
    assert sorted(path for path in lacking - written if not new & set(Path(path).parts)) == []


def test_a_decision_is_in_the_index_with_its_title_and_its_date():
    files = sorted(DECISIONS.glob("0*.md"))
    assert [path.name[:5] for path in files] == [f"{number:04d}_" for number in range(1, len(files) + 1)]
    rows = re.findall(r"^\| \[(.+)\]\((.+)\) \| (\S+) \|$", (DECISIONS / "README.md").read_text("utf-8"), re.MULTILINE)
    found = []
    for number, path in enumerate(files, start=1):
        text = path.read_text("utf-8")
        begins = re.match(rf"# {number}\. (.+)\n\n(\d{{4}}-\d\d-\d\d), in force", text)
        assert begins, path.name
        title, date = begins.groups()
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences"))
        found.append((title, path.name, date))
    assert rows == found


def test_every_page_has_its_place_on_the_site():
    """`make docs` says it too, and takes an environment of its own."""
    navigation = (PROJECT_DIR / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path not in DECISIONS.glob("0*.md")}
    placed = set(re.findall(r"([\w/]+\.md)$", navigation, re.MULTILINE))
    assert {page for page in placed if not page.startswith("project/")} == pages
