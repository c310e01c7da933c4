"""docs/diagrams.md, and the tables of contexts and steps, are what the code says."""

import re
import runpy

from olist_pipeline.registry import CONTEXTS, STEPS
from olist_pipeline.settings import PROJECT_DIR

ROW = re.compile(r"^\| (\w+)(, by month)? \| ([\w, ]+) \| (.*?) ?\|$", re.MULTILINE)


def test_the_diagrams_are_drawn_from_the_code_as_it_is():
    page = runpy.run_path(str(PROJECT_DIR / "scripts" / "diagrams.py"))["page"]()
    written = (PROJECT_DIR / "docs" / "diagrams.md").read_text("utf-8")
    assert written == page, "run `.venv/bin/python scripts/diagrams.py > docs/diagrams.md`"
    assert page.count("```mermaid") == 4


def test_each_step_of_the_architecture_makes_and_reads_what_it_says():
    page = (PROJECT_DIR / "docs" / "architecture.md").read_text("utf-8")
    _, *rows = ROW.findall(page[page.index("| step | makes | reads of others |") :])
    steps = {step.name: step for step in STEPS}
    assert len(rows) == 6
    for name, by_month, makes, reads in rows:
        own = steps[name].tables[0].context
        others = [asset for asset in steps[name].published if not asset.startswith(f"{own}/")]
        assert (makes.split(", "), reads.split(", ") if reads else [], bool(by_month)) == (
            [table.name for table in steps[name].tables],
            others,
            steps[name].is_monthly,
        )


def test_each_context_of_the_readme_has_its_staged_tables():
    page = (PROJECT_DIR / "README.md").read_text("utf-8")
    _, *rows = ROW.findall(page[page.index("| context | staged tables |") :])
    assert {name: {*makes.split(", ")} for name, _, makes, _ in rows} == {
        name: {table.name for step in CONTEXTS[name].steps for table in step.tables}
        for name in ("sales", "marketplace", "customer", "fulfillment")
    }
