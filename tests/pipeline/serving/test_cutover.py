"""Cutover: its effect, and what it refuses."""

import duckdb
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.serving import cutover as cutovers
from olist_pipeline.serving import journal
from olist_pipeline.serving.release import current_number
from tests.pipeline.serving.world import (
    SHADOW,
    cut_over,
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


class TestCutover:
    def test_serves_the_tables_that_wait_for_nobody_else(self, settings):
        done = cut_over(settings, "sales")
        assert sides(settings) == {
            "fact_orders": "new",
            "dim_seller": "both",
            "fact_reviews": "old",
            "dim_customer": "old",
            "dim_geography": "old",
            "mart_delivery": "old",
        }
        assert done.tables == ("fact_orders",)
        assert (current_number(settings.serving), done.release.based_on) == (2, 1)

    def test_takes_what_was_prepared_while_nothing_else_changed(self, settings, monkeypatch):
        monkeypatch.setattr(cutovers, "compose", None)
        cut_over(settings, "sales")
        assert (sides(settings)["fact_orders"], current_number(settings.serving)) == ("new", 2)

    def test_composes_where_what_was_prepared_is_of_other_routes(self, settings):
        roll_back(settings, "customer")
        cut_over(settings, "sales")
        assert release_of(settings).routes == {**SHADOW, "sales": "new", "customer": "old"}

    def test_says_what_waits_and_which_references_lead_into_quarantine(self, settings):
        cut_over(settings, "sales")
        done = cut_over(settings, "marketplace")
        assert done.waiting == {"fact_reviews": ["customer"]}
        assert done.notes == (
            "1 rows of fact_reviews (old) refer by order_id to rows of fact_orders that are not on new",
        )

    def test_all_contexts_on_new_serve_everything_from_new(self, all_new):
        assert set(sides(all_new).values()) == {"new", "both"}

    def test_of_a_context_all_of_whose_tables_wait_is_refused(self, settings):
        with pytest.raises(OlistError, match=r"customer would change nothing yet: .* read marketplace, sales,"):
            cut_over(settings, "customer")
        assert routes(settings) == SHADOW

    def test_lists_everything_that_the_gate_objects_to(self, settings):
        with pytest.raises(OlistError, match="sales cannot be cut over: this; that"):
            cut_over(settings, "sales", lambda release: ["this", "that"])
        assert (sides(settings)["fact_orders"], routes(settings)) == ("old", SHADOW)

    def test_the_gate_is_asked_about_what_is_served(self, settings):
        asked = []

        def gate(release):
            asked.append(release.number)
            return []

        cut_over(settings, "sales", gate)
        assert asked == [1]

    def test_force_needs_a_reason_and_is_recorded(self, settings):
        closed = lambda release: ["a red verdict"]  # noqa: E731
        with pytest.raises(OlistError, match="--force needs --reason"):
            cut_over(settings, "sales", closed, force=True, reason=" ")
        cut_over(settings, "sales", closed, force=True, reason="the auditors wait")
        [act] = journal.done_acts(settings.serving)
        assert (act.overridden, act.reason, act.acted_by) == (("a red verdict",), "the auditors wait", "me")
        assert sides(settings)["fact_orders"] == "new"

    def test_dashboards_can_read_who_switched_what(self, settings):
        cut_over(settings, "sales")
        database = (settings.serving / "current").resolve() / "serving.duckdb"
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute("SELECT context, route, changed_by FROM about.migration_routes").fetchall()
        assert rows[0] == ("sales", "new", "me")
        assert rows[1] == ("marketplace", "shadow", None)

    def test_an_unknown_context_is_named_with_the_nearest_one(self, settings):
        with pytest.raises(OlistError, match="no context 'sale'; did you mean sales"):
            cut_over(settings, "sale")

    def test_before_the_first_release_there_is_nothing_to_switch(self, tmp_path):
        with pytest.raises(OlistError, match="There is no release in"):
            cut_over(settings_of(tmp_path / "empty"), "sales")

    def test_a_release_of_an_earlier_version_cannot_be_switched(self, settings):
        manifest = settings.serving / "current" / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"sources"', '"other"'))
        with pytest.raises(OlistError, match="run --force"):
            cut_over(settings, "sales")

    def test_keys_that_a_dimension_has_not_are_not_mixed_with_it(self, tmp_path):
        """The new facts know a seller that the old dimension does not."""
        settings = settings_of(tmp_path)
        with duckdb.connect(str(settings.warehouse)) as connection:
            connection.execute("INSERT INTO new.dim_seller VALUES ('s9', 'both')")
            connection.execute("UPDATE new.fact_orders SET seller_id = 's9' WHERE order_id = 'o3'")
        published(settings)
        with pytest.raises(OlistError, match=r"fact_orders from new would lose 1 references by seller_id beside dim_s"):
            cut_over(settings, "sales", force=True)
        assert sides(settings)["fact_orders"] == "old"

    def test_a_publication_meanwhile_does_not_undo_it(self, settings):
        """The run that builds the next release reads the routes when it publishes, not when it begins."""

        asked = []

        def cut_over_meanwhile(connection, seen):
            asked.append(seen["sales"])
            if asked == ["shadow"]:
                cut_over(settings, "sales")
            return []

        published(settings, lambda: routes(settings), objections=cut_over_meanwhile)
        assert asked == ["shadow", "new"], "the gate is asked about the routes that are published"
        assert sides(settings)["fact_orders"] == "new"
