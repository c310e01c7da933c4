"""The how-tos, followed on a copy of the project: what they touch is what they show, and their tests pass there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from olist_pipeline.settings import PROJECT_DIR
from tests.docs.following import follow, patched
from tests.environment import bare
from tests.patience import patient

pytestmark = pytest.mark.long

DOCS = PROJECT_DIR / "docs"
COPIED = ("olist_domain", "olist_pipeline", "dashboards", "dbt", "docs", "tests")
FILES = ("dagster.yaml", "workspace.yaml", "pyproject.toml")
TOUCHED = {
    "adding_a_rule.md": {"olist_domain/sales/rules.py", "tests/domain/sales/test_rules.py"},
    "adding_a_derivation.md": {"olist_domain/sales/derivations.py", "tests/domain/sales/test_derivations.py"},
    "adding_a_check.md": {
        "olist_pipeline/orchestration/known_places.py",
        "olist_pipeline/orchestration/definitions.py",
        "tests/pipeline/orchestration/test_known_places.py",
    },
    "adding_a_page.md": {
        "dashboards/queries/payments.py",
        "dashboards/queries/__init__.py",
        "dashboards/pages/payments.py",
        "dashboards/page.py",
        "docs/dashboards.md",
        "tests/dashboards/test_pages.py",
    },
}
GENERATED = {"docs/business_rules.md"}
"""What the command of the rule and of the derivation writes."""

COMMAND = re.compile(r"^\.venv/bin/(olist|pytest) (.*)$", re.MULTILINE)
WITHOUT_A_RUN = (
    "tests/dashboards/test_pages.py::test_every_query_is_on_a_page_and_every_page_asks_only_queries",
    "tests/dashboards/test_pages.py::test_every_notebook_is_a_page_with_a_lead",
    "tests/dashboards/test_queries.py::TestText",
    "tests/docs/after_following.py",
)
"""In place of `tests/dashboards`, most of which looks at the releases of a whole run."""

RUN = {"olist": "from olist_pipeline.cli.main import main; main()", "pytest": "import pytest; pytest.console_main()"}


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Path, dict[str, set[str]]]:
    """A copy of the project with all how-tos followed, and the files of each."""
    copy = tmp_path_factory.mktemp("followed")
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs", "images")
    for name in COPIED:
        shutil.copytree(PROJECT_DIR / name, copy / name, ignore=ignored)
    for name in FILES:
        shutil.copy(PROJECT_DIR / name, copy / name)
    return copy, {name: follow(copy, DOCS / name, patched) for name in TOUCHED}


def commands(program: str) -> set[str]:
    """Return the arguments of a program's calls in the how-tos."""
    texts = [(DOCS / name).read_text("utf-8") for name in TOUCHED]
    return {rest for text in texts for found, rest in COMMAND.findall(text) if found == program}


def run(project: Path, home: Path, program: str, *arguments: str) -> str:
    variables = {**bare(), "PYTHONPATH": str(project), "OLIST_HOME": str(home)}
    result = subprocess.run(
        [sys.executable, "-P", "-c", RUN[program], *arguments],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(600),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_how_to_touches_the_files_that_it_shows(followed):
    assert followed[1] == TOUCHED


def test_every_how_to_is_linked_where_contributors_look():
    contributing = (PROJECT_DIR / "CONTRIBUTING.md").read_text("utf-8")
    assert {path.name for path in DOCS.glob("adding_*.md")} == set(re.findall(r"docs/(adding_\w+\.md)", contributing))


def test_what_they_add_passes_their_own_tests_and_works(followed, parsed_project):
    project, _ = followed
    [(arguments, page)] = [command.split(" > ") for command in commands("olist")]
    assert page in GENERATED
    (project / page).write_text(run(project, parsed_project.home, "olist", *arguments.split()), "utf-8")
    for code in ("FREIGHT_ABOVE_PRICE", "is_sent_free"):
        assert code in (project / page).read_text("utf-8")
    named = {path for command in commands("pytest") for path in command.split()}
    assert all((project / path).exists() for path in named)
    tests = named - {"tests/dashboards", "tests/pipeline/orchestration/test_snapshot.py"}
    run(project, parsed_project.home, "pytest", "-p", "no:cacheprovider", "-n", "0", *sorted(tests), *WITHOUT_A_RUN)
