"""Validation assets: what a run says of where its steps were worked through."""

from pathlib import Path

import dagster as dg
import pytest

from olist_pipeline.orchestration import validation
from olist_pipeline.orchestration.partitions import FORCED
from olist_pipeline.orchestration.resources import Pipeline
from olist_pipeline.registry import STEPS
from olist_pipeline.settings import Settings
from olist_pipeline.steps import ValidationReport
from olist_pipeline.validation.work import TableReport

PLACE = {"spark_master": "yarn", "spark_application": "application_1", "spark_ui": "http://driver:4040"}


class NoServer(Pipeline):
    """A pipeline whose server nobody asks."""

    url = "nowhere"


@pytest.fixture
def materialized(monkeypatch):
    """Materialise the customers' step, whose work is done elsewhere; return its entry and the tags of the run.

    With a `place` that is None, return whether a run with these tags forces the work.
    """

    def run(place, **tags):
        forced = []

        def work(*_, is_forced):
            forced.append(is_forced)
            return ValidationReport(counts, 7, place or {})

        [step] = [step for step in STEPS if step.name == "customers"]
        counts = {table.name: TableReport(3, 1, {"MISSING_STATE": 1}, {}) for table in step.tables}
        monkeypatch.setattr(validation, "run_validation", work)
        assets = [made for made in validation.validation_assets() if made.node_def.name == "validate_customers"]
        with dg.DagsterInstance.ephemeral() as instance:
            pipeline = NoServer(Settings(Path("home"), Path("landing"), None))
            done = dg.materialize(assets, instance=instance, resources={"pipeline": pipeline}, tags=tags)
            [entry] = [
                event.materialization
                for event in done.get_asset_materialization_events()
                if event.asset_key == dg.AssetKey(["customer", "customers"])
            ]
            found = instance.get_run_by_id(done.run_id)
        if place is None:
            return forced
        return entry.metadata, found.tags if found else {}

    return run


def test_a_run_on_spark_names_its_application_and_links_to_its_ui(materialized):
    metadata, tags = materialized(PLACE)
    assert metadata["spark_ui"] == dg.MetadataValue.url(PLACE["spark_ui"])
    assert metadata["spark_application"] == dg.MetadataValue.text("application_1")
    assert {key.removeprefix("olist/"): text for key, text in tags.items() if "spark" in key} == PLACE


def test_a_run_of_this_process_says_nothing_of_spark(materialized):
    metadata, tags = materialized({})
    assert metadata["accepted"] == dg.MetadataValue.int(3)
    assert not [name for name in (*metadata, *tags) if "spark" in name]


def test_a_run_is_forced_by_its_tag(materialized):
    assert materialized(None) == [False]
    assert materialized(None, **FORCED) == [True]
