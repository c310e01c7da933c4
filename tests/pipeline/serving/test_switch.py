"""Switching: what a crash in any act leaves, and the record that reaches PostgreSQL."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from olist_pipeline.errors import OlistError
from olist_pipeline.serving import cutover as cutovers
from olist_pipeline.serving import journal, standby, switch
from olist_pipeline.serving import rollback as rollbacks
from olist_pipeline.serving.cutover import rehearse
from olist_pipeline.serving.release import current_number, kept_numbers
from olist_pipeline.serving.rollback import acknowledge
from olist_pipeline.stores import routes as route_store
from olist_pipeline.stores.postgres import query
from olist_pipeline.stores.routes import NEXT_ROUTES, RouteState
from tests.pipeline.serving.world import (
    CONTEXTS,
    SHADOW,
    copy_of,
    cut_over,
    expected_sides,
    published,
    release_of,
    roll_back,
    routes,
    sides,
)

OWN = {cut_over: cutovers, roll_back: rollbacks}
"""The module of each act."""


@pytest.fixture
def settings(in_shadow):
    return in_shadow


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
            (None, "compose", False),
            (standby, "take", False),
            (None, "put_in_place", False),
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
            patch.setattr(module or OWN[act], function, die)
            with pytest.raises(Killed):
                act(settings, "sales")
        assert (sides(settings) != before) is comes_to_pass
        heal(settings)
        assert is_consistent(settings)
        assert (routes(settings)["sales"] == ("new" if act is cut_over else "old")) is comes_to_pass
        act(settings, "sales")
        assert is_consistent(settings)
        assert sides(settings) != before
        done = [done.action for done in journal.done_acts(settings.serving)]
        assert done == (["cutover"] if act is cut_over else ["cutover", "rollback"]), "each act once"

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
                for module in OWN.values() if crash == "put_in_place" else [switch]:
                    patch.setattr(module, crash, lambda *_: (_ for _ in ()).throw(Killed()))
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


def test_who_prepares_for_a_former_release_leaves_what_others_prepared(settings, monkeypatch):
    """Composing takes its time: meanwhile somebody may have switched, and prepared for what is served now."""
    former = release_of(settings)
    cut_over(settings, "sales")
    assert "sales" in standby.prepare(settings.serving)
    prepared = standby._read(settings.serving / "standby" / "sales")
    with monkeypatch.context() as patch:
        patch.setattr(standby, "current_release", lambda _: former)
        assert standby.prepare(settings.serving) == []
    assert standby._read(settings.serving / "standby" / "sales") == prepared
    assert roll_back(settings, "sales").release == prepared


def test_what_is_put_in_the_place_of_a_standby_while_it_is_taken_is_not_served(settings, monkeypatch):
    """Who prepares for a former release may be slow: its views are of other routes than the manifest would say."""
    cut_over(settings, "sales")
    standby.prepare(settings.serving)
    rename = Path.rename

    def replaced(folder, target):
        if folder == settings.serving / "standby" / "sales":
            shutil.rmtree(folder)
            shutil.copytree(settings.serving / "standby" / "fulfillment", folder)
        return rename(folder, target)

    monkeypatch.setattr(Path, "rename", replaced)
    roll_back(settings, "sales")
    assert sides(settings)["fact_orders"] == "old"
    assert is_consistent(settings)


def take_step(settings, step, context):
    if step == "publish":
        published(settings, routes(settings))
    elif step == "prepare":
        standby.prepare(settings.serving)
    elif step == "rollback":
        roll_back(settings, context)
    else:
        if routes(settings)[context] == "old":
            rehearse(settings, context, by="me", reason="again")
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
        acknowledge(settings, "sales", by="me", reason="mended")
        journal.bring_to_database(settings.serving, database)
        assert [row["blocked"] for row in route_store.history(database)] == [None, "a doubt", None]

    def test_an_act_that_was_killed_after_its_effect_reaches_the_database(self, settings, monkeypatch, database):
        """Its context is served from new, and `olist status` must not say otherwise until somebody switches again."""
        with monkeypatch.context() as patch:
            patch.setattr(journal, "settle", lambda *_, **__: (_ for _ in ()).throw(Killed()))
            with pytest.raises(Killed):
                cut_over(settings, "sales")
        assert journal.recorded_routes(settings.serving, database, CONTEXTS) == {**SHADOW, "sales": "new"}

    def test_history_is_kept_for_good(self, settings, database):
        cut_over(settings, "sales")
        journal.bring_to_database(settings.serving, database)
        with pytest.raises(Exception, match="append-only"):
            query(database, "DELETE FROM migration.route_history")

    def test_another_release_is_no_change_of_routes(self, settings, database):
        cut_over(settings, "sales")
        journal.bring_to_database(settings.serving, database)
        route_store.record_release(database, CONTEXTS, 9)
        assert len(route_store.history(database)) == 1


@pytest.mark.parametrize(
    ("former", "route"),
    [(one, other) for one, near in NEXT_ROUTES.items() for other in NEXT_ROUTES if other not in (one, *near)],
)
def test_a_route_that_is_not_the_next_is_refused_with_the_command_that_comes_first(tmp_path, former, route):
    state = RouteState({"sales": former})
    with pytest.raises(OlistError, match=rf"sales is on {former} and cannot go to {route}; `olist .* sales.* first"):
        switch.legal_change(tmp_path, state, "sales", route)
