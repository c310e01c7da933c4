"""Readers at full speed under cutovers and rollbacks, some killed half-way: no failed query, no mixed answer."""

import shutil

import duckdb
import pytest

from benchmarks.soak import soak, switcher
from olist_pipeline.serving import journal
from tests.pipeline.serving.world import expected_sides, published, release_of, settings_of, sides

pytestmark = pytest.mark.long


def test_readers_notice_nothing_but_other_releases(tmp_path):
    settings = settings_of(tmp_path)
    published(settings)
    act = switcher(settings, lambda context: lambda release: [])
    seen = soak(settings.serving, act, switches=12, readers=1, killed=0.3, seed=3)
    assert seen.failures == []
    assert seen.killed > 1
    assert seen.switches > 3
    assert seen.answers > 20
    assert len(seen.releases_seen) > 2
    with journal.sole_switch(settings.serving):
        routes = journal.present_state(settings.serving).routes
    assert sides(settings) == expected_sides(release_of(settings), routes)


def test_a_reader_of_a_release_that_is_not_what_it_says_is_caught(tmp_path):
    """The soak can fail: here a release shows another side than its routes name."""
    settings = settings_of(tmp_path)
    published(settings)

    def spoil(context, forward):
        folder = (settings.serving / "current").resolve()
        shutil.copyfile(folder / "serving.duckdb", folder / "spoilt")
        with duckdb.connect(str(folder / "spoilt")) as connection:
            connection.execute("CREATE OR REPLACE VIEW main.fact_orders AS FROM new.fact_orders")
        (folder / "spoilt").replace(folder / "serving.duckdb")
        return 0.0

    seen = soak(settings.serving, spoil, switches=4, readers=1, killed=0, seed=3)
    assert any("fact_orders is not that of old" in failure for failure in seen.failures)
