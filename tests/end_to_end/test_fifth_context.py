"""docs/adding_a_context.md and adding_a_column.md, followed: they run through everything, and touch only their own."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.synthetic import generate
from tests.docs.following import follow, patched
from tests.environment import bare
from tests.patience import patient
from tests.shared import shared_dbt

pytestmark = pytest.mark.long

DOCUMENT = PROJECT_DIR / "docs" / "adding_a_context.md"
COLUMN = PROJECT_DIR / "docs" / "adding_a_column.md"
REGISTRIES = {"olist_pipeline/olist_contexts.py", "dbt/migration.yml"}
COPIED = ("olist_domain", "olist_pipeline", "dbt", "examples", "tests")
FILES = ("dagster.yaml", "workspace.yaml", "pyproject.toml", ".importlinter")
OWN = re.compile(
    r"olist_domain/support/|olist_pipeline/contexts/support/|dbt/models/(old|new)/.*(support|tickets)|tests/domain/support/"
)
RUN = """
import sys
from olist_pipeline.cli.main import main

for line in sys.stdin.read().splitlines():
    sys.argv = ["olist", *line.split()]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""
"""Commands one after the other in one process: importing Dagster for each would take most of the time."""


def registered(text: str, diff: str) -> str:
    """Apply a diff of lines: added imports go to the others, a removed line gives way to the added ones."""
    added = [line[1:] for line in diff.splitlines() if line.startswith("+")]
    [piece] = [line[1:] for line in diff.splitlines() if line.startswith("-")]
    assert text.count(f"{piece}\n") == 1, "the document must show the file as it is"
    imports = [line for line in added if line.startswith("from ")]
    text = text.replace(piece, "\n".join(line for line in added if line not in imports))
    first = "from olist_pipeline.contexts.sales"
    return text.replace(first, "\n".join([*imports, first]), 1)


def write_tickets(landing: Path) -> dict[str, str]:
    """Write a ticket for each of the first orders, some of them bad; return the order of each kind."""
    with (landing / "olist_orders_dataset.csv").open(encoding="utf-8") as file:
        orders = [row["order_id"] for row in csv.DictReader(file)]
    with (landing / "olist_order_items_dataset.csv").open(encoding="utf-8") as file:
        with_items = {row["order_id"] for row in csv.DictReader(file)}
    valid = [order for order in orders if order in with_items][:40]
    empty = next(order for order in orders if order not in with_items)
    lines = [f"t{n},{order},chat,2018-09-01 10:00:00,2018-09-0{n % 5 + 1} 11:00:00" for n, order in enumerate(valid)]
    lines += [
        f"early,{valid[0]},chat,2018-09-02 10:00:00,2018-09-01 10:00:00",
        "orphan,nobody,chat,2018-09-01 10:00:00,",
        f"childless,{empty},chat,2018-09-01 10:00:00,",
        f"unreadable,{valid[1]},chat,soon,",
    ]
    header = "ticket_id,order_id,channel,opened_at,closed_at"
    (landing / "support_tickets.csv").write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return {"accepted": str(len(valid))}


@pytest.fixture(scope="module")
def project(server_folder) -> Path:
    """A copy of the project with the document followed."""
    copy = server_folder / "project"
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
    for name in COPIED:
        shutil.copytree(PROJECT_DIR / name, copy / name, ignore=ignored)
    for name in FILES:
        shutil.copy(PROJECT_DIR / name, copy / name)
    follow(copy, DOCUMENT, registered)
    return copy


@pytest.fixture(scope="module")
def with_column(project) -> Path:
    """The same, with the column as well."""
    shown = "three from the domain to a mart, a test, and that old has no such column"
    assert len(follow(project, COLUMN, patched)) == 5, shown
    return project


def environment(project: Path) -> dict[str, str]:
    return {
        **bare(),
        **shared_dbt(),
        "PYTHONPATH": str(project),
        "OLIST_HOME": str(project / "home"),
        "OLIST_DATA_DIR": str(project / "landing"),
    }


def olist(project: Path, *commands: str) -> list[Any]:
    """Return the JSON that each command says."""
    result = subprocess.run(
        [sys.executable, "-c", RUN],
        input="\n".join(commands),
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(300),
    )
    assert result.returncode == 0, result.stderr
    said, decoder = result.stdout, json.JSONDecoder()
    found = []
    while said.strip():
        value, end = decoder.raw_decode(said.lstrip())
        found.append(value)
        said = said.lstrip()[end:]
    return found


def test_it_touches_its_own_files_and_what_registers_them(project):
    files = {
        str(path.relative_to(project))
        for name in COPIED
        for path in (project / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    changed = {
        name
        for name in files
        if not (PROJECT_DIR / name).exists() or (PROJECT_DIR / name).read_bytes() != (project / name).read_bytes()
    }
    assert {name for name in changed if not OWN.match(name)} == REGISTRIES
    assert len(changed) == 17


def test_the_import_contracts_hold_for_it(project):
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [str(lint), "--no-logo", "--no-cache"],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_its_rules_and_the_column_are_tested_like_all_others(with_column):
    tests = ("support", "test_every_rule.py", "test_ways_in.py", "test_immutability.py", "sales/test_derivations.py")
    command = [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "-n", "0"]
    result = subprocess.run(
        [*command, *(f"tests/domain/{name}" for name in tests)],
        cwd=with_column,
        env=environment(with_column),
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(100),
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_runs_through_everything(with_column):
    project = with_column
    generate(project / "landing", orders=400, seed=5)
    expected = write_tickets(project / "landing")
    summary, [report] = olist(project, "run --json", "parity fact_tickets --json")
    [table] = [row for row in summary["tables"] if row["context"] == "support"]
    assert (table["landing"], table["accepted"], table["quarantined"]) == (44, int(expected["accepted"]), 4)
    assert {row["rule"] for row in summary["quarantined_by_rule"] if row["source_table"] == "tickets"} == {
        "TICKET_CLOSED_BEFORE_OPENED",
        "ORPHAN_TICKETS",
        "PARENT_REJECTED",
        "UNPARSEABLE_OPENED_AT",
    }
    [verdict] = [row for row in summary["parity"] if row["context"] == "support"]
    assert (verdict["table"], verdict["verdict"]) == ("fact_tickets", "explained")
    assert {effect["rules"]: effect["gone"] for effect in report["effects"]["by_rule"]} == {
        "ORDER_WITHOUT_ITEMS": 1,
        "ORPHAN_TICKETS": 1,
        "TICKET_CLOSED_BEFORE_OPENED": 1,
        "UNPARSEABLE_OPENED_AT": 1,
    }
    assert summary["release"]["routes"]["support"] == "shadow"
    [verdict] = [row for row in summary["parity"] if row["table"] == "mart_executive_dashboard"]
    assert verdict["verdict"] == "explained"
    with duckdb.connect(str(project / "home" / "warehouse.duckdb"), read_only=True) as warehouse:
        [(large, counted)] = warehouse.execute(
            "SELECT sum(large_orders), (SELECT count(*) FROM new.fact_orders WHERE total_amount >= 500) "
            "FROM new.mart_executive_dashboard"
        ).fetchall()
    assert large == counted > 0
    with duckdb.connect(str(project / "home" / "serving" / "current" / "serving.duckdb"), read_only=True) as serving:
        assert serving.execute("SELECT count(*), sum(is_slow::INT) FROM fact_tickets").fetchall()[0][0] == 44
