"""Cutover, rollback and retirement: their effect, what they refuse, and what a crash leaves."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from olist_pipeline.errors import OlistError
from olist_pipeline.serving import journal, standby, switch
from olist_pipeline.serving.build import Key
from olist_pipeline.serving.release import current_number, kept_numbers
from olist_pipeline.stores import postgres
from olist_pipeline.stores import routes as route_store
from tests.pipeline.serving.world import (
    CONTEXTS,
    REFERENCES,
    SHADOW,
    copy_of,
    expected_sides,
    published,
    release_of,
    settings_of,
    sides,
)

NOW = datetime.now(UTC)


def opened(release):
    return []


def cut_over(settings, context, objections=opened, **more):
    return switch.cutover(settings, context, objections, by="me", reason=more.pop("reason", "proven"), **more)


def roll_back(settings, context, **more):
    return switch.rollback(settings, context, by="me", reason="a doubt", **more)


def routes(settings):
    return journal.present_state(settings.serving).routes


@pytest.fixture(scope="module")
def first_release(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("first"))
    published(settings)
    return settings


@pytest.fixture(scope="module")
def everything_cut_over(first_release, tmp_path_factory):
    settings = copy_of(first_release, tmp_path_factory.mktemp("cut_over"))
    for context in CONTEXTS:
        cut_over(settings, context)
    return settings


@pytest.fixture
def settings(first_release, tmp_path):
    """Settings with a first release, every context in shadow."""
    return copy_of(first_release, tmp_path)


@pytest.fixture
def all_new(everything_cut_over, tmp_path):
    """Settings whose contexts have all been cut over, in their order."""
    return copy_of(everything_cut_over, tmp_path)


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
        monkeypatch.setattr(switch, "compose", None)
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
        with pytest.raises(switch.GateClosed, match="sales cannot be cut over: this; that") as raised:
            cut_over(settings, "sales", lambda release: ["this", "that"])
        assert raised.value.objections == ("this", "that")
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

    def test_an_unknown_context_is_named_with_those_there_are(self, settings):
        with pytest.raises(OlistError, match="no context sale; there are: sales, marketplace"):
            cut_over(settings, "sale")

    def test_before_the_first_release_there_is_nothing_to_switch(self, tmp_path):
        with pytest.raises(OlistError, match="no release yet"):
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


class TestRollback:
    def test_points_to_what_was_prepared_and_builds_nothing(self, settings, monkeypatch):
        cut_over(settings, "sales")
        assert "sales" in standby.prepare(settings.serving)
        monkeypatch.setattr(switch, "compose", None)
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

        monkeypatch.setattr(switch, "compose", full)
        done = roll_back(settings, "sales")
        assert (done.release.number, current_number(settings.serving)) == (1, 1)
        assert sides(settings)["fact_orders"] == "old"

    def test_makes_room_for_its_record_on_a_full_disk(self, settings, monkeypatch):
        cut_over(settings, "sales")
        standby.prepare(settings.serving)
        append = journal.append

        def full_until_there_is_room(serving, act):
            if (serving / "standby").exists():
                raise OSError(28, "No space left on device")
            append(serving, act)

        monkeypatch.setattr(journal, "append", full_until_there_is_room)
        monkeypatch.setattr(switch, "compose", None)
        roll_back(settings, "sales")
        assert (sides(settings)["fact_orders"], routes(settings)["sales"]) == ("old", "old")

    def test_of_a_context_in_shadow_takes_it_out_of_the_gate_alone(self, settings):
        assert roll_back(settings, "sales").act.release is None
        assert (routes(settings)["sales"], current_number(settings.serving)) == ("old", 1)

    def test_comes_back_through_shadow(self, settings):
        cut_over(settings, "sales")
        roll_back(settings, "sales")
        with pytest.raises(OlistError, match="--to shadow` comes first"):
            cut_over(settings, "sales")
        switch.rehearse(settings, "sales", by="me", reason="mended")
        cut_over(settings, "sales")
        assert sides(settings)["fact_orders"] == "new"

    def test_blocks_until_it_is_acknowledged_with_a_reason(self, settings):
        cut_over(settings, "sales")
        roll_back(settings, "sales", blocks=True)
        switch.rehearse(settings, "sales", by="me", reason="mended")
        with pytest.raises(OlistError, match=r"blocked since it was rolled back \(a doubt\)"):
            cut_over(settings, "sales", force=True)
        with pytest.raises(OlistError, match="needs a reason"):
            switch.acknowledge(settings, "sales", by="me", reason="")
        switch.acknowledge(settings, "sales", by="me", reason="the source sent it twice")
        cut_over(settings, "sales")
        with pytest.raises(OlistError, match="nothing to acknowledge"):
            switch.acknowledge(settings, "sales", by="me", reason="again")

    def test_twice_is_refused(self, settings):
        roll_back(settings, "sales")
        with pytest.raises(OlistError, match="sales is on old and cannot go to old"):
            roll_back(settings, "sales")


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


class TestRetirement:
    PATIENT = NOW + timedelta(days=8)

    def test_waits_until_all_contexts_have_been_on_new_for_long_enough(self, all_new):
        with pytest.raises(OlistError, match=r"for 7 days, and sales is on new only since .*; fulfillment"):
            switch.retire(all_new, "sales", by="me", reason="done", now=NOW + timedelta(days=6))
        switch.retire(all_new, "sales", by="me", reason="done", now=self.PATIENT)
        assert journal.retired_contexts(all_new.serving) == {"sales"}

    def test_needs_all_contexts_on_new(self, settings):
        cut_over(settings, "sales")
        with pytest.raises(OlistError, match="marketplace is on shadow; customer is on shadow"):
            switch.retire(settings, "sales", by="me", reason="done", now=self.PATIENT)

    def test_the_next_release_holds_the_new_side_alone_and_there_is_no_way_back(self, all_new):
        switch.retire(all_new, "customer", by="me", reason="done", now=self.PATIENT)
        published(all_new, routes(all_new), retired={"customer"})
        with pytest.raises(OlistError, match="customer --undo"):
            roll_back(all_new, "customer")
        roll_back(all_new, "marketplace")
        assert sides(all_new)["dim_customer"] == "new", "a retired context has no other side"

    def test_can_be_undone(self, all_new):
        with pytest.raises(OlistError, match="nothing to undo"):
            switch.restore(all_new, "sales", by="me", reason="no")
        switch.retire(all_new, "sales", by="me", reason="done", now=self.PATIENT)
        switch.restore(all_new, "sales", by="me", reason="an audit")
        assert (journal.retired_contexts(all_new.serving), routes(all_new)["sales"]) == (set(), "new")
        published(all_new, routes(all_new))
        roll_back(all_new, "sales")
        assert sides(all_new)["fact_orders"] == "old"


class Killed(BaseException):
    pass


def is_consistent(settings):
    """Whether what is served, the journal and what a release says of itself agree."""
    release = release_of(settings)
    return sides(settings) == expected_sides(release, routes(settings)) == expected_sides(release, release.routes)


class TestCrashes:
    @pytest.mark.parametrize("act", [cut_over, roll_back])
    @pytest.mark.parametrize(
        ("module", "function", "comes_to_pass"),
        [
            (switch, "compose", False),
            (standby, "take", False),
            (switch, "put_in_place", False),
            (journal, "append", False),
            (switch, "point_to", False),
            (journal, "settle", True),
            (switch, "remove_unneeded", True),
        ],
    )
    def test_leave_one_release_serving_and_are_healed_by_the_next_command(
        self, settings, monkeypatch, act, module, function, comes_to_pass
    ):
        if act is roll_back:
            cut_over(settings, "sales")
        if function == "compose":
            shutil.rmtree(settings.serving / "standby")
        before = sides(settings)

        def die(*_, **__):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(module, function, die)
            with pytest.raises(Killed):
                act(settings, "sales")
        assert (sides(settings) != before) is comes_to_pass
        heal(settings)
        assert is_consistent(settings)
        assert (routes(settings)["sales"] == ("new" if act is cut_over else "old")) is comes_to_pass
        if not comes_to_pass:
            act(settings, "sales")
        assert is_consistent(settings)
        assert sides(settings) != before

    def test_a_half_written_line_of_the_journal_is_no_act(self, settings):
        cut_over(settings, "sales")
        path = settings.serving / journal.JOURNAL
        path.write_bytes(path.read_bytes() + b'{"act": {"act_id": "tor')
        roll_back(settings, "sales")
        assert [act.action for act in journal.done_acts(settings.serving)] == ["cutover", "rollback"]
        assert is_consistent(settings)


def heal(settings):
    """Do what every command does first."""
    with journal.sole_switch(settings.serving):
        pass


STEPS = st.tuples(st.sampled_from(["cutover", "rollback", "publish", "prepare"]), st.sampled_from(CONTEXTS))


@hypothesis_settings(max_examples=8)
@given(steps=st.lists(st.tuples(STEPS, st.sampled_from([None, None, "put_in_place", "point_to"])), max_size=7))
def test_any_sequence_of_acts_and_crashes_serves_what_the_routes_say(first_release, tmp_path_factory, steps):
    settings = copy_of(first_release, tmp_path_factory.mktemp("sequence"))
    for (step, context), crash in steps:
        with pytest.MonkeyPatch.context() as patch:
            if crash:
                patch.setattr(switch, crash, lambda *_: (_ for _ in ()).throw(Killed()))
            with suppress(OlistError, Killed):
                take_step(settings, step, context)
        heal(settings)
        assert sides(settings) == expected_sides(release_of(settings), routes(settings))
    assert current_number(settings.serving) in kept_numbers(settings.serving)
    known = dict(SHADOW)
    for act in journal.done_acts(settings.serving):
        for change in act.changes:
            assert (known[change.context], change.route in route_store.NEXT_ROUTES[change.former]) == (
                change.former,
                True,
            )
            known[change.context] = change.route
    assert known == routes(settings)


def take_step(settings, step, context):
    if step == "publish":
        published(settings, routes(settings))
    elif step == "prepare":
        standby.prepare(settings.serving)
    elif step == "rollback":
        roll_back(settings, context)
    else:
        if routes(settings)[context] == "old":
            switch.rehearse(settings, context, by="me", reason="again")
        cut_over(settings, context)


class TestRecord:
    def test_what_was_done_without_a_database_reaches_it_later_and_once(self, settings, database):
        cut_over(settings, "sales", parity_run="run-7")
        roll_back(settings, "sales", blocks=True)
        assert journal.bring_to_database(settings.serving, database) == 2
        assert journal.bring_to_database(settings.serving, database) == 0
        history = [
            (row["old_route"], row["new_route"], row["changed_by"], row["reason"], row["parity_run"], row["release"])
            for row in route_store.history(database, "sales")
        ]
        assert history == [
            (None, "new", "me", "proven", "run-7", 2),
            ("new", "old", "me", "a doubt", None, 3),
        ]
        assert journal.recorded_routes(settings.serving, database, CONTEXTS) == {**SHADOW, "sales": "old"}
        switch.acknowledge(settings, "sales", by="me", reason="mended")
        journal.bring_to_database(settings.serving, database)
        assert [row["blocked"] for row in route_store.history(database)] == [None, "a doubt", None]

    def test_history_is_kept_for_good(self, settings, database):
        cut_over(settings, "sales")
        journal.bring_to_database(settings.serving, database)
        with pytest.raises(Exception, match="append-only"):
            postgres.query(database, "DELETE FROM migration.route_history")

    def test_another_release_is_no_change_of_routes(self, settings, database):
        cut_over(settings, "sales")
        journal.bring_to_database(settings.serving, database)
        route_store.record_release(database, CONTEXTS, 9)
        assert len(route_store.history(database)) == 1
