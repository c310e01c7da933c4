"""`olist dev`: what becomes of its servers."""

import os
import subprocess
import sys

from olist_pipeline.cli import servers
from tests.patience import wait_for

DAGSTER = """
import pathlib, sys, time
pathlib.Path(sys.argv[1], "began").touch()
try:
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1], "ended").touch()
"""


def test_dagster_ends_in_order_where_the_command_that_started_it_is_killed(tmp_path):
    """Else its webserver would hold the port."""
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "__init__.py").touch()
    (tmp_path / "dagster" / "__main__.py").write_text(DAGSTER)
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {servers._UI!r}, {str(tmp_path)!r}])"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", start], env=environment) as command:
        wait_for((tmp_path / "began").exists, "Dagster to begin", 20)
        command.kill()
    wait_for((tmp_path / "ended").exists, "Dagster to end", 20)
