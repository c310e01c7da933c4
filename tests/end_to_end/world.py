"""An environment of its own for tests that run the command line as a person does."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.proof import outcome_of
from olist_pipeline.cli.main import main
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres
from olist_pipeline.synthetic import generate
from tests.environment import bare
from tests.patience import patient
from tests.shared import shared_dbt

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

    def environment(self, *, own_dbt: bool = False) -> dict[str, str]:
        """Return an environment that knows nothing but this world, and the tests' fork server of dbt.

        `own_dbt`: a run starts a server of its own, as it does for a person.
        """
        dbt = {} if own_dbt else shared_dbt()
        return {**bare(), **dbt, "OLIST_HOME": str(self.home), "OLIST_DATA_DIR": str(self.landing), "COLUMNS": "200"}

    def olist(self, *arguments: str, own_dbt: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in a process of its own."""
        return subprocess.run(
            [str(OLIST), *arguments],
            env={**self.environment(own_dbt=own_dbt), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(300),
        )

    def typed(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in this process: to start a program for it would take longer than the command.

        What no command should end in, an exception, is raised.
        """
        given = {**self.environment(), **environment}
        kept, umask = dict(os.environ), os.umask(0o077)
        out, error = io.StringIO(), io.StringIO()
        try:
            os.environ.clear()
            os.environ.update(given)
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(error):
                patch.setattr("sys.argv", ["olist", *arguments])
                with pytest.raises(SystemExit) as ended:
                    main()
        finally:
            os.umask(umask)
            os.environ.clear()
            os.environ.update(kept)
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out.getvalue(), error.getvalue())

    def start(self, *arguments: str, own_dbt: bool = False) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, which a test may kill."""
        return subprocess.Popen(
            [str(OLIST), *arguments],
            env=self.environment(own_dbt=own_dbt),
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
        return outcome_of(self.settings)


def spoil(world: World, file: str, old: str, new: str) -> None:
    """Replace the first `old` in a landing file."""
    path = world.landing / file
    text = path.read_text("utf-8")
    assert old in text, "the test must find what it spoils"
    path.write_text(text.replace(old, new, 1), "utf-8")
