"""`dagster.yaml` is a configuration that Dagster takes."""

from pathlib import Path

from dagster._core.instance.config import dagster_instance_config

PROJECT = Path(__file__).parents[4]


def test_the_instance_is_one_that_dagster_takes():
    config, _ = dagster_instance_config(str(PROJECT))
    assert config["telemetry"] == {"enabled": False}
    assert config["concurrency"]["pools"] == {"granularity": "op", "default_limit": 1}
    limits = {one["key"]: one["limit"] for one in config["concurrency"]["runs"]["tag_concurrency_limits"]}
    assert limits["dagster/backfill"] < config["concurrency"]["runs"]["max_concurrent_runs"]
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert config["run_monitoring"]["enabled"]
