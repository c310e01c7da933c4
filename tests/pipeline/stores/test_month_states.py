"""The states of months are those that Dagster itself would say, after any history of runs."""

import random
from datetime import date

import dagster as dg
import pytest

from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration.instance import quiet_instance
from olist_pipeline.orchestration.partitions import MONTHS, know_months, range_tags
from olist_pipeline.settings import Settings
from olist_pipeline.stores.run_history import FROM_WORST, MonthState, month_states

FOUR = list(MonthRange(date(2017, 11, 1), date(2018, 2, 1)))
STATES: dict[dg.AssetPartitionStatus | None, MonthState] = {
    dg.AssetPartitionStatus.MATERIALIZED: "present",
    dg.AssetPartitionStatus.IN_PROGRESS: "present",
    dg.AssetPartitionStatus.FAILED: "failed",
}


@pytest.fixture(scope="module")
def instance(dagster_server, tmp_path_factory):
    home = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLIST_HOME", str(home))
        patch.setenv("OLIST_POSTGRES_URL", dagster_server)
        with quiet_instance(Settings(home, home / "landing", dagster_server)) as instance:
            know_months(instance, MonthRange(FOUR[0], FOUR[-1]))
            yield instance


class History:
    """What happened to two assets, which no other history has."""

    def __init__(self, instance, number):
        self.instance = instance
        self.paths = [("states", f"{name}_{number}") for name in ("orders", "items")]
        assets = [self.asset(path) for path in self.paths]
        self.job = dg.Definitions(assets, jobs=[dg.define_asset_job("work")]).resolve_job_def("work")

    def asset(self, path):
        @dg.asset(key=dg.AssetKey(path), partitions_def=MONTHS)
        def made() -> None:
            pass

        return made

    def attempt(self, months, made, end):
        """A run over `months` that makes `made` (path and month) and comes to `end`."""
        one = {"dagster/partition": months.first.isoformat()}
        tags = range_tags(months) if months.first != months.last else one
        run = self.instance.create_run_for_job(self.job, tags=tags)
        for path, month in made:
            done = dg.AssetMaterialization(dg.AssetKey(path), partition=month.isoformat())
            self.instance.report_runless_asset_event(done)
        if end == "failed":
            self.instance.report_run_failed(run)
        elif end == "canceled":
            self.instance.report_run_canceled(run)

    def as_dagster_says(self) -> dict[date, MonthState]:
        states: dict[date, MonthState] = dict.fromkeys(FOUR, "present")
        for path in self.paths:
            found = self.instance.get_status_by_partition(dg.AssetKey(path), [str(m) for m in FOUR], MONTHS) or {}
            for month in FOUR:
                state = STATES.get(found.get(str(month)), "missing")
                states[month] = min(states[month], state, key=FROM_WORST.index)
        return states


@pytest.mark.parametrize("seed", range(6))
def test_states_are_those_of_dagster(instance, dagster_server, seed):
    drawn, history = random.Random(seed), History(instance, seed)
    for _ in range(drawn.randint(0, 6)):
        first, last = sorted(drawn.choices(range(len(FOUR)), k=2))
        cells = [(path, month) for path in history.paths for month in FOUR[first : last + 1]]
        made = cells if drawn.random() < 0.5 else drawn.sample(cells, drawn.randint(0, len(cells)))
        history.attempt(MonthRange(FOUR[first], FOUR[last]), made, drawn.choice(["failed", "canceled", "runs on"]))
    assert month_states(dagster_server, history.paths, FOUR) == history.as_dagster_says()


def test_there_are_three_states(instance, dagster_server):
    history = History(instance, "three")
    november, december, january, _ = FOUR
    history.attempt(MonthRange(november, december), [(path, november) for path in history.paths], "failed")
    history.attempt(MonthRange(january, january), [(history.paths[0], january)], "canceled")
    states = month_states(dagster_server, history.paths, FOUR)
    assert list(states.values()) == ["present", "failed", "missing", "missing"]
    assert month_states(dagster_server, history.paths[:1], [january]) == {january: "present"}
    assert month_states(dagster_server, [], [january]) == {january: "present"}
