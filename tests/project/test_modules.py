"""Modules: none is longer than a person reads at once."""

from olist_pipeline.settings import PROJECT_DIR

FOLDERS = ("olist_domain", "olist_pipeline", "dashboards", "examples", "benchmarks", "scripts")
MOST_LINES = 350


def test_no_module_has_more_lines_than_one_reads():
    modules = [path for folder in FOLDERS for path in (PROJECT_DIR / folder).rglob("*.py")]
    lines = {str(path.relative_to(PROJECT_DIR)): len(path.read_text("utf-8").splitlines()) for path in modules}
    assert len(lines) > 300
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
