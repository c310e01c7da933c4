"""docs/migrating_your_own_warehouse.md, followed from its first line to its last on a project of strangers."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from olist_pipeline.files import tree_hash
from olist_pipeline.migration.load import load_migration
from olist_pipeline.orchestration.dbt import retired_models
from olist_pipeline.settings import PROJECT_DIR
from olist_pipeline.warehouse import load_manifest
from tests.docs.following import BLOCK
from tests.end_to_end.commands import Said, run
from tests.environment import bare

pytestmark = pytest.mark.long

DOCUMENT = PROJECT_DIR / "docs" / "migrating_your_own_warehouse.md"
FOREIGN = PROJECT_DIR / "tests" / "foreign"
PART = re.compile(r"^```sh\n(?P<sh>.*?)^```$|^`(?P<file>[\w./]+)`\n\n```\w+\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Followed:
    """The folder in which the document was followed, and what its commands said."""

    folder: Path
    said: dict[str, Said]
    project: str
    drafts: dict[str, str]
    tests: tuple[int, int]

    def of(self, beginning: str) -> Said:
        """Return what the first command said that begins so."""
        return next(said for command, said in self.said.items() if command.startswith(f"olist {beginning}"))


@pytest.fixture(scope="module")
def followed(server_folder) -> Followed:
    folder = server_folder / "own"
    shutil.copytree(FOREIGN / "cityhire", folder / "cityhire")
    shutil.copytree(FOREIGN / "landing", folder / "landing")
    project = _state(folder)
    said: dict[str, Said] = {}
    environment: dict[str, str] = {}
    waiting: list[list[str]] = []
    drafts: dict[str, str] = {}
    failing = 0

    def flush() -> None:
        nonlocal failing
        if not waiting:
            return
        for one in run(folder, [["export", *(f"{k}={v}" for k, v in environment.items())], *waiting], {}):
            said[one.command] = one
        waiting.clear()
        for path in (folder / "riding").glob("*.py"):
            drafts.setdefault(path.name, path.read_text("utf-8"))
        if (folder / "tests").is_dir() and not failing:
            failing = _tests(folder)

    for part in PART.finditer(DOCUMENT.read_text("utf-8")):
        if part["file"]:
            flush()
            path = folder / part["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part["text"], "utf-8")
            continue
        for line in part["sh"].splitlines():
            words = shlex.split(line)
            if words[0] == "export":
                values = dict(word.split("=", 1) for word in words[1:])
                environment.update(
                    {k: str(folder / v) if (folder / v).exists() or "HOME" in k else v for k, v in values.items()}
                )
                waiting.append(["export", *(f"{k}={environment[k]}" for k in values)])
            else:
                waiting.append(words)
    flush()
    return Followed(folder, said, project, drafts, (failing, _tests(folder)))


def _tests(folder: Path) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=folder, env=bare(), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout
    return done.returncode


def _state(folder: Path) -> str:
    return tree_hash(folder / "cityhire", suffixes=(".sql", ".yml", ".csv", ".duckdb", ".json", ".log", ".msgpack"))


def served(folder: Path, number: int, statement: str) -> list[tuple]:
    """Return the rows of a statement on a release."""
    database = folder / "state" / "serving" / "releases" / f"{number:05d}" / "serving.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(statement).fetchall()


def test_every_command_of_the_page_does_what_it_says(followed):
    assert {said.command: said.error for said in followed.said.values() if said.code} == {}


def test_nothing_is_written_into_the_old_project(followed):
    assert _state(followed.folder) == followed.project
    assert not (followed.folder / "cityhire" / "target").exists()
    assert not (followed.folder / "cityhire" / "logs").exists()


def test_the_audit_finds_the_rule_and_its_copy(followed):
    assert "ride_length" in followed.of("audit cityhire").out


def test_drafts_have_the_sql_beside_them_and_fail_until_somebody_decides(followed):
    drafts = followed.drafts["rules.py"]
    assert "when minutes < 10 then 'short'" in drafts.lower()
    assert 'replaces=("ride_list.ride_length",)' in drafts
    assert "raise Undecided" in drafts
    assert "minutes: int" in followed.drafts["records.py"]
    assert "fare: Decimal" in followed.drafts["records.py"]
    assert followed.tests == (1, 0), "drafts fail, and what the page decides passes"


def test_the_check_names_what_the_clock_makes_and_what_is_not_migrated(followed):
    said = followed.of("migration check").out
    assert "ride_list.dbt_loaded_at differs between two runs of old, and is left out: The time of the load" in said
    assert re.search(r"not migrated, fleet: fleet, fleet_history, prep_bicycles", said)
    assert "bicycles.csv is read as it is" in said


def test_parity_is_explained_by_the_rows_that_validation_rejected(followed):
    said = followed.of("parity ride_list").out
    assert "explained" in followed.of("parity").out
    assert "RIDE_WITHOUT_DURATION" in said
    assert followed.of("quarantine").out.count("rides.csv") == 2


def test_dashboards_read_old_names_and_columns_whatever_is_served(followed):
    columns = (
        "SELECT list(column_name ORDER BY ordinal_position) FROM information_schema.columns "
        "WHERE table_schema = 'main' AND table_name = 'ride_list'"
    )
    before, after, back = (served(followed.folder, number, columns) for number in (1, 2, 3))
    assert before == after == back
    counts = "SELECT count(*), count(dbt_loaded_at) FROM ride_list"
    assert served(followed.folder, 1, counts) == [(200, 200)]
    assert served(followed.folder, 2, counts) == [(198, 0)]
    assert served(followed.folder, 3, counts) == [(200, 200)]


def test_tables_without_a_pair_are_served_from_old(followed):
    for number in (1, 2):
        assert served(followed.folder, number, "SELECT count(*), count(dbt_loaded_at) FROM fleet") == [(3, 3)]
        assert served(followed.folder, number, "SELECT zone FROM dock_list ORDER BY dock_id") == [
            ("north",),
            ("south",),
            ("elsewhere",),
        ]


def test_a_retired_context_takes_its_own_old_models_with_it(followed):
    migration = load_migration(followed.folder / "migration.yml")
    manifest = load_manifest(followed.folder / "state" / "dbt" / "old" / "manifest.json")
    dropped = {manifest["nodes"][uid]["name"] for uid in retired_models(manifest, migration, ["riding"])}
    assert dropped == {"prep_rides", "ride_list", "rides_a_day"}


def test_the_page_shows_no_other_project():
    assert all(not name.startswith(("olist_", "dbt/")) for name, _, _ in BLOCK.findall(DOCUMENT.read_text("utf-8")))
