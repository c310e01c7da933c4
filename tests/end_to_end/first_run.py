"""The first run, which takes half a minute: made once for all workers, of which each test file takes a copy.

The fixture `finished` of `tests/conftest.py` brings it.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from olist_pipeline.synthetic import generate
from tests.end_to_end.world import World
from tests.shared import made_once

BAD_ROWS = {
    ("orders", "DUPLICATE_KEY"),
    ("order_payments", "UNPARSEABLE_PAYMENT_VALUE"),
    ("order_payments", "NEGATIVE_AMOUNT"),
}
"""What is wrong with rows of the landing, by table: beside what the generator spoils, which can all be read."""


@dataclass(frozen=True)
class FirstRun:
    """The first `olist run` over an empty home: its world, which nobody may change, and what it said."""

    world: World
    result: subprocess.CompletedProcess[str]

    def copy_to(self, folder: Path) -> World:
        """Return a world of one's own, as the run left it."""
        folder.mkdir()
        # The server's files keep their owner, who may be another user than this one.
        subprocess.run(["cp", "-a", f"{self.world.home}", f"{self.world.landing}", str(folder)], check=True)
        return World(folder / self.world.home.name, folder / self.world.landing.name)


def first_run() -> FirstRun:
    """Return the first run of this session, which the worker that asks first makes."""
    with made_once("first") as folder:
        world, said = World(folder / "home", folder / "landing"), folder / "said.json"
        if not said.exists():
            generate(world.landing, orders=1_000, seed=7)
            add_bad_rows(world.landing)
            result = world.olist("run", own_dbt=True)
            said.write_text(json.dumps([result.returncode, result.stdout, result.stderr]))
    return FirstRun(world, subprocess.CompletedProcess(["olist", "run"], *json.loads(said.read_text())))


def add_bad_rows(landing: Path) -> None:
    """Repeat an order without items, and make one payment of such orders a word and another one negative.

    They are quarantined anyway, so that tables which know nothing of them stay identical in old and new.
    """
    orders, payments = landing / "olist_orders_dataset.csv", landing / "olist_order_payments_dataset.csv"
    items = (landing / "olist_order_items_dataset.csv").read_text()
    without_items = [row for row in orders.read_text().splitlines()[1:] if row.split(",")[0] not in items]
    orders.write_text(f"{orders.read_text()}{without_items[-1]}\n")
    rows, ids = payments.read_text().splitlines(), {row.split(",")[0] for row in without_items[:-1]}
    word, negative, *_ = (place for place, row in enumerate(rows) if row.split(",")[0] in ids)
    for place, value in ((word, "abc"), (negative, "-1")):
        rows[place] = f"{rows[place].rpartition(',')[0]},{value}"
    payments.write_text("\n".join(rows) + "\n")
