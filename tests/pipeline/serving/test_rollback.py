"""Rollback: its effect, whatever is broken, and what it refuses."""

import errno
import shutil
from pathlib import Path

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import Key
from olist_pipeline.serving import journal, standby
from olist_pipeline.serving import release as releases
from olist_pipeline.serving import rollback as rollbacks
from olist_pipeline.serving.cutover import rehearse
from olist_pipeline.serving.journal import present_state
from olist_pipeline.serving.release import current_number
from olist_pipeline.serving.rollback import acknowledge
from tests.pipeline.serving.world import (
    CONTEXTS,
    REFERENCES,
    cut_over,
    expected_sides,
    published,
    release_of,
    roll_back,
    routes,
    settings_of,
    sides,
)


@pytest.fixture
def settings(in_shadow):
    return in_shadow


class TestRollback:
    def test_points_to_what_was_prepared_and_builds_nothing(self, settings, monkeypatch):
        cut_over(settings, "sales")
        assert "sales" in standby.prepare(settings.serving)
        monkeypatch.setattr(rollbacks, "compose", None)
        settings.warehouse.unlink()
        done = roll_back(settings, "sales")
        assert (done.tables, done.release.number) == (("fact_orders",), 3)
        assert (set(sides(settings).values()), routes(settings)["sales"]) == ({"old", "both"}, "old")

    def test_composes_where_nothing_fit_was_prepared(self, all_new):
        standby.prepare(all_new.serving)
        roll_back(all_new, "fulfillment")
        roll_back(all_new, "marketplace")
        assert sides(all_new) == expected_sides(release_of(all_new), routes(all_new))
        assert sides(all_new)["dim_customer"] == "old", "it needs marketplace"

    def test_composes_where_the_home_is_in_a_lower_layer_of_an_overlay(self, settings, monkeypatch):
        """There no folder of that layer can be renamed: a home that an image brings along could not go back."""
        cut_over(settings, "sales")
        standby.prepare(settings.serving)
        rename = Path.rename

        def of_overlay(folder, target):
            if folder.parent.name == "standby":
                raise OSError(errno.EXDEV, "Invalid cross-device link", str(folder))
            return rename(folder, target)

        monkeypatch.setattr(Path, "rename", of_overlay)
        assert roll_back(settings, "sales").release.number == 3
        assert standby.prepare(settings.serving) == ["fulfillment"]
        assert [path.name for path in (settings.serving / "standby").iterdir()] == ["fulfillment"]

    def test_takes_along_what_may_not_be_served_beside_it(self, tmp_path):
        """Quarantine took a prefix, which the mart of the other side refers to: both sides go back together."""
        settings = settings_of(tmp_path)
        with duckdb.connect(str(settings.warehouse)) as connection:
            connection.execute("ALTER TABLE old.dim_customer ADD COLUMN prefix VARCHAR DEFAULT 'p2'")
            connection.execute("ALTER TABLE new.dim_customer ADD COLUMN prefix VARCHAR DEFAULT 'p1'")
            connection.execute("DELETE FROM new.dim_geography WHERE prefix = 'p2'")
        references = [*REFERENCES, Key("dim_customer", "prefix", "dim_geography", "prefix")]
        published(settings, references=references)
        with pytest.raises(OlistError, match="dim_customer from old would lose 3 references by prefix beside dim_geo"):
            cut_over(settings, "fulfillment")
        for context in CONTEXTS:
            cut_over(settings, context)
        standby.prepare(settings.serving)
        done = roll_back(settings, "customer", blocks=True)
        assert [change.context for change in done.act.changes] == ["customer", "fulfillment"]
        assert (sides(settings)["dim_customer"], sides(settings)["dim_geography"]) == ("old", "old")
        assert set(journal.present_state(settings.serving).blocked) == {"customer"}

    def test_points_to_older_data_when_the_disk_is_full(self, settings, monkeypatch):
        cut_over(settings, "sales")

        def full(*_, **__):
            raise OlistError("no space")

        monkeypatch.setattr(rollbacks, "compose", full)
        done = roll_back(settings, "sales")
        assert (done.release.number, current_number(settings.serving)) == (1, 1)
        assert sides(settings)["fact_orders"] == "old"

    @pytest.mark.parametrize("is_on_new", [True, False])
    def test_makes_room_for_its_record_on_a_full_disk(self, settings, monkeypatch, is_on_new):
        if is_on_new:
            cut_over(settings, "sales")
        standby.prepare(settings.serving)
        append = journal.append

        def full_until_there_is_room(serving, act):
            if any((serving / "standby").iterdir()):
                raise OSError(28, "No space left on device")
            append(serving, act)

        monkeypatch.setattr(journal, "append", full_until_there_is_room)
        monkeypatch.setattr(rollbacks, "compose", None)
        roll_back(settings, "sales")
        assert (sides(settings)["fact_orders"], routes(settings)["sales"]) == ("old", "old")

    @pytest.mark.parametrize("is_prepared", [True, False])
    def test_has_the_room_of_what_was_prepared_for_others(self, settings, monkeypatch, is_prepared):
        """A disk may be full of bytes, so that no copy fits, or of files, so that not even a lock does."""
        for context in ("sales", "marketplace"):
            cut_over(settings, context)
        assert len(standby.prepare(settings.serving)) > 1
        if not is_prepared:
            shutil.rmtree(settings.serving / "standby" / "sales")
        building = releases.building

        def full_until_there_is_room(serving):
            if any(path.name != "sales" for path in (serving / "standby").iterdir()):
                raise OlistError("No space left on device")
            return building(serving)

        monkeypatch.setattr(rollbacks, "building", full_until_there_is_room)
        assert roll_back(settings, "sales").release.number == 4
        assert sides(settings)["fact_orders"] == "old"

    def test_takes_any_reason(self, settings):
        """A terminal of another encoding gives bytes that are no text; going back is more urgent than its spelling."""
        done = rollbacks.rollback(settings, "sales", by="me", reason="n\udce3o d\udcc1 \0 東")
        assert journal.done_acts(settings.serving)[-1].reason == done.act.reason == "n?o d? ? 東"

    def test_of_a_context_in_shadow_takes_it_out_of_the_gate_alone(self, settings):
        assert roll_back(settings, "sales").act.release is None
        assert (routes(settings)["sales"], current_number(settings.serving)) == ("old", 1)

    def test_comes_back_through_shadow(self, settings):
        cut_over(settings, "sales")
        roll_back(settings, "sales")
        with pytest.raises(OlistError, match="--to shadow` comes first"):
            cut_over(settings, "sales")
        rehearse(settings, "sales", by="me", reason="mended")
        cut_over(settings, "sales")
        assert sides(settings)["fact_orders"] == "new"

    def test_blocks_until_it_is_acknowledged_with_a_reason(self, settings):
        cut_over(settings, "sales")
        roll_back(settings, "sales", blocks=True)
        rehearse(settings, "sales", by="me", reason="mended")
        with pytest.raises(OlistError, match=r"blocked since it was rolled back \(a doubt\)"):
            cut_over(settings, "sales", force=True)
        with pytest.raises(OlistError, match="needs a reason"):
            acknowledge(settings, "sales", by="me", reason="")
        acknowledge(settings, "sales", by="me", reason="the source sent it twice")
        cut_over(settings, "sales")
        with pytest.raises(OlistError, match="nothing to acknowledge"):
            acknowledge(settings, "sales", by="me", reason="again")

    def test_twice_changes_nothing_more(self, settings):
        first = roll_back(settings, "sales")
        before = present_state(settings.serving)
        second = roll_back(settings, "sales")

        assert (second.release, second.tables) == (first.release, ())
        assert [(one.former, one.route) for one in second.act.changes] == [("old", "old")]
        assert present_state(settings.serving) == before

    def test_an_unknown_context_is_neither_rolled_back_nor_acknowledged(self, settings):
        for act in (roll_back, lambda *of: acknowledge(*of, by="me", reason="a slip")):
            with pytest.raises(OlistError, match="There is no context 'slaes'; did you mean sales"):
                act(settings, "slaes")


class TestPointingBack:
    def test_takes_back_whatever_that_release_serves_from_old(self, all_new):
        done = roll_back(all_new, "customer", to=2)
        assert current_number(all_new.serving) == 2
        assert {change.context for change in done.act.changes} == {"marketplace", "customer", "fulfillment"}
        assert sides(all_new) == expected_sides(done.release, routes(all_new))

    def test_keeps_the_routes_where_only_the_data_is_older(self, settings):
        cut_over(settings, "sales")
        published(settings, routes(settings))
        roll_back(settings, "sales", to=2)
        assert (current_number(settings.serving), routes(settings)["sales"]) == (2, "new")

    def test_is_no_way_around_the_gate(self, settings):
        cut_over(settings, "sales")
        roll_back(settings, "sales")
        with pytest.raises(OlistError, match="Release 2 serves sales from new, which only `olist cutover` may do"):
            roll_back(settings, "marketplace", to=2)

    def test_a_release_that_is_not_kept_is_refused(self, settings):
        with pytest.raises(OlistError, match=r"no release 9 .* kept are: 1"):
            roll_back(settings, "sales", to=9)
