"""docs/diagrams.md is what the code says."""

import runpy

from olist_pipeline.settings import PROJECT_DIR


def test_the_diagrams_are_drawn_from_the_code_as_it_is():
    page = runpy.run_path(str(PROJECT_DIR / "scripts" / "diagrams.py"))["page"]()
    written = (PROJECT_DIR / "docs" / "diagrams.md").read_text("utf-8")
    assert written == page, "run `.venv/bin/python scripts/diagrams.py > docs/diagrams.md`"
    assert page.count("```mermaid") == 4
