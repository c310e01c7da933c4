"""How runs ended and how long their sides took, as a real instance of Dagster wrote it."""

import dagster as dg
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.orchestration.instance import quiet_instance
from olist_pipeline.settings import Settings
from olist_pipeline.stores import run_history
from tests.pipeline.roles import ANALYST, alone, as_role

JOB = run_history.WHOLE_RUN


def made(*key, fails=False):
    @dg.asset(key=dg.AssetKey(key))
    def asset() -> None:
        if fails:
            raise RuntimeError("planted")

    return asset


def run(instance, job, *assets):
    definitions = dg.Definitions(assets=assets, jobs=[dg.define_asset_job(job, executor_def=dg.in_process_executor)])
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False).run_id


@pytest.fixture(scope="module")
def ran(dagster_server, tmp_path_factory):
    """Ids of runs, oldest first: of both sides, of another job, of new alone, one that failed."""
    home = tmp_path_factory.mktemp("history")
    settings = Settings(home, home / "landing", dagster_server)
    # The instance reads the environment for where it is.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(home))
        patch.setenv("OLIST_POSTGRES_URL", dagster_server)
        return _ids(settings)


def _ids(settings):
    with quiet_instance(settings) as instance:
        sides = (made("old", "fact_orders"), made("intake", "orders"), made("new", "fact_orders"))
        proof = (made("replay", "fact_orders"), made("serving", "release"))
        return {
            "both": run(instance, JOB, *sides, *proof),
            "other": run(instance, "backfill", *sides),
            "new alone": run(instance, JOB, made("new", "fact_orders")),
            "failed": run(instance, JOB, *sides[:2], made("new", "fact_orders", fails=True)),
        }


def test_times_are_those_of_whole_runs_that_built_both_sides(dagster_server, ran):
    [found] = [one for one in run_history.timings(dagster_server, limit=100) if one.run_id in ran.values()]
    assert found.run_id == ran["both"]
    assert found.old_seconds > 0
    assert found.new_seconds > 0
    assert found.ratio == pytest.approx(found.new_seconds / found.old_seconds)


def test_the_run_that_asks_counts_before_it_has_ended(dagster_server, ran):
    mine = ran["failed"]
    found = run_history.timings(dagster_server, limit=100, now=mine)
    assert mine in {one.run_id for one in found}
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_ended_runs_are_those_of_every_job_the_latest_first(dagster_server, ran):
    found = [one for one in run_history.ended(dagster_server, limit=100) if one.run_id in ran.values()]
    assert [one.run_id for one in found] == list(reversed(ran.values()))
    assert [one.has_failed for one in found] == [True, False, False, False]
    assert found[0].job == JOB


def test_before_dagster_there_is_no_history(monkeypatch):
    monkeypatch.setattr(run_history, "query", lambda url, statement, parameters=(): [{"yes": False}])
    assert run_history.timings("postgresql://", limit=1) == []
    assert run_history.ended("postgresql://", limit=1) == []


def test_a_role_that_may_not_use_the_schema_reads_so(granted):
    """The tables were said not to be there: by a run in Dagster's words, by `olist status` not at all."""
    alone(granted, "REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    try:
        with pytest.raises(OlistError, match=r"not do this \(permission denied for schema public\); .* roles --sql"):
            run_history.is_there(as_role(granted, ANALYST))
    finally:
        alone(granted, "GRANT USAGE ON SCHEMA public TO PUBLIC")
