"""The dbt project without Dagster: an analyst builds and tests the whole old tree over the CSV files."""

import subprocess

import pytest

from olist_pipeline.orchestration.forked_dbt import ASKING
from olist_pipeline.settings import DBT_DIR
from tests.end_to_end.world import World


@pytest.mark.long
def test_the_old_tree_builds_from_landing_alone_with_all_its_tests(server_folder):
    world = World.with_orders(server_folder / "analyst", orders=1_000)
    world.home.mkdir()
    target = ["--target-path", str(world.home / "target"), "--log-path", str(world.home / "logs")]
    result = subprocess.run(
        [*ASKING, "build", "--select", "path:models/old", *target],
        cwd=DBT_DIR,
        env=world.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "12 unit tests" in result.stdout
    assert "ERROR=0" in result.stdout
