"""docs/tutorial: each lesson does what it says, its exercise included, in one small home after another lesson.

The home is the one that its page for setting up makes: the first run of this session.
"""

import re

import pytest

from olist_pipeline.settings import PROJECT_DIR
from tests.docs.lessons import Lesson
from tests.shared import shared_dbt

TUTORIAL = PROJECT_DIR / "docs" / "tutorial"
LESSONS = sorted(TUTORIAL.glob("[0-9]_*.md"))
SET_BY_COMMANDS = ("OLIST_ENGINE", "OLIST_AUTOMATION", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE", "PGAPPNAME")


@pytest.fixture(scope="module")
def world(server_folder, finished):
    return finished.copy_to(server_folder / "tutorial")


@pytest.fixture
def folder(world, monkeypatch):
    """Where a lesson begins: a shell in the folder of the tutorial."""
    for name in SET_BY_COMMANDS:
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards, whatever commands make of it
        monkeypatch.delenv(name)
    monkeypatch.delenv("OLIST_POSTGRES_URL", raising=False)
    for name, value in {**shared_dbt(), "OLIST_HOME": str(world.home)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OLIST_DATA_DIR", str(world.landing))
    monkeypatch.chdir(world.home.parent)
    return world.home.parent


@pytest.mark.long
@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_a_lesson(page, folder):
    lesson = Lesson(page, folder)
    lesson.follow()
    said = "\n".join(lesson.said)
    assert all(words in said for words in SAID[page.name[0]]), said


SAID = {
    "1": ("ORDER_WITHOUT_ITEMS", "reject order", "of them broke rules of their own"),
    "2": ("ModuleNotFoundError", "4 passed", "1 failed", "6 passed"),
    "3": ("fact_orders", "punctuality", "identical"),
    "4": ("sales is built and proven: 2017-11", "No month of sales"),
    "5": ("is served", "sales: new -> old", "shadow"),
    "6": ("Segment is VIP when total orders is more than 10", "6 passed"),
}
"""Some of what each lesson promises that a reader will see."""


def test_every_lesson_is_in_the_contents():
    contents = (TUTORIAL / "index.md").read_text("utf-8")
    assert re.findall(r"\((\d_\w+\.md)\)", contents) == [page.name for page in LESSONS]


@pytest.mark.long
def test_the_set_up_is_the_one_that_the_lessons_are_tried_with(world):
    contents = (TUTORIAL / "index.md").read_text("utf-8")
    assert "olist data generate --orders 1000 --seed 7 --out landing\nolist run\n" in contents
    assert (world.home.name, world.landing.name) == ("home", "landing")
