"""A step that a person asks for alone, in a home that has nothing yet, says what it needs."""

import json
import subprocess
import sys

import pytest

from olist_pipeline.synthetic import generate
from tests.environment import bare
from tests.patience import patient
from tests.shared import shared_dbt

ASKING = """
import json, sys
from olist_pipeline.data_months import all_months
from olist_pipeline.orchestration.definitions import build_defs
from olist_pipeline.orchestration.failures import failures_of
from olist_pipeline.orchestration.instance import execute, prepare, quiet_instance
from olist_pipeline.settings import Settings

settings = Settings.from_env()
prepare(settings)
repository = build_defs(settings).get_repository_def()
steps = {one.op.name: one for one in repository.asset_graph.assets_defs if one.is_executable}
with quiet_instance(settings) as instance:
    for name in sys.argv[1:]:
        keys = set(steps[name].keys)
        checks = set() if keys else {spec.key for spec in steps[name].check_specs}
        job = repository.get_implicit_job_def_for_assets(keys or {check.asset_key for check in checks})
        job = job.get_subset(asset_selection=keys, asset_check_selection=checks)
        _, happened = execute(instance, job, all_months(settings), {})
        print(json.dumps([name, failures_of(list(happened))]), flush=True)
"""
NEEDED = {
    "intake__order_items": "materialise intake/orders first.",
    "by_month__validate_sales": "materialise intake/orders first.",
    "sales_reconciliation": "materialise it first.",
    "dbt_new_months": "materialise sales/orders first.",
    "dbt_replay": "dbt replay reads ",
    "parity": "is not in the warehouse; materialise it first, or run `olist run`.",
    "serving__release": "is not in the warehouse; materialise it first, or run `olist run`.",
}


@pytest.mark.long
def test_a_step_that_is_asked_for_alone_says_what_it_needs(tmp_path):
    tmp_path.chmod(0o755)
    generate(tmp_path / "landing", orders=200, seed=1)
    places = {"OLIST_HOME": str(tmp_path / "home"), "OLIST_DATA_DIR": str(tmp_path / "landing")}
    done = subprocess.run(
        [sys.executable, "-c", ASKING, *NEEDED],
        env={**bare(), **shared_dbt(), **places},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(200),
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    said = dict(lines)
    assert said.keys() == NEEDED.keys(), done.stdout + done.stderr
    for step, needed in NEEDED.items():
        [sentence] = said[step]
        assert needed in sentence
        assert "\n" not in sentence
