"""An environment of its own for tests that run the command line as a person does."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres
from olist_pipeline.synthetic import generate
from olist_pipeline.tablediff.fingerprint import fingerprint

OLIST = Path(sys.executable).with_name("olist")


@dataclass(frozen=True)
class World:
    """A home, a landing and the command line over both."""

    home: Path
    landing: Path

    @classmethod
    def with_orders(cls, folder: Path, orders: int) -> "World":
        """Return a world whose landing is synthetic."""
        generate(folder / "landing", orders=orders, seed=7)
        return cls(folder / "home", folder / "landing")

    @property
    def settings(self) -> Settings:
        return Settings(self.home, self.landing, None)

    def environment(self) -> dict[str, str]:
        """Return an environment that knows nothing but this world."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "OLIST_HOME": str(self.home), "OLIST_DATA_DIR": str(self.landing), "COLUMNS": "200"}

    def olist(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [str(OLIST), *arguments],
            env={**self.environment(), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, which a test may kill."""
        return subprocess.Popen(
            [str(OLIST), *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def query(self, statement: str) -> list[tuple]:
        """Return the rows of a statement on the operational stores."""
        return [tuple(row.values()) for row in postgres.query(postgres.server_url(self.settings), statement)]

    def outcome(self) -> dict[str, object]:
        """Return what a run leaves: every table, row and event, without runs and times of recording."""
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as warehouse:
            tables = warehouse.execute(
                "SELECT table_schema || '.' || table_name FROM information_schema.tables "
                "WHERE table_type = 'BASE TABLE'"
            ).fetchall()
            warehouse_content = {name: fingerprint(warehouse, name).digest for (name,) in sorted(tables)}
        with duckdb.connect(str(self.home / "serving" / "current" / "serving.duckdb"), read_only=True) as serving:
            served = {name: fingerprint(serving, name).digest for (name,) in serving.execute("SHOW TABLES").fetchall()}
        staged = {
            str(path.relative_to(self.settings.staging)): pl.read_parquet(path).rows()
            for path in sorted(self.settings.staging.rglob("*.parquet"))
        }
        return {
            "warehouse": warehouse_content,
            "serving": served,
            "staging": staged,
            "quarantine": self.query(
                "SELECT source_table, source_row, rules, payload::text FROM data_quality.quarantine ORDER BY 1, 2"
            ),
            "events": self.query(
                "SELECT event_id::text, version FROM event_store.domain_events "
                "ORDER BY aggregate_type, aggregate_id, version"
            ),
        }


def spoil(world: World, file: str, old: str, new: str) -> None:
    """Replace the first `old` in a landing file."""
    path = world.landing / file
    text = path.read_text("utf-8")
    assert old in text, "the test must find what it spoils"
    path.write_text(text.replace(old, new, 1), "utf-8")
