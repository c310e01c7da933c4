"""Whose a database is: of the first home that works with it, wherever that comes to lie; another one is refused."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import home, schema
from olist_pipeline.stores.postgres import query
from tests.pipeline.roles import ANALYST, RUNTIME, alone, as_role


@pytest.fixture
def other(settings, tmp_path):
    """Settings of another home over the same database, which belongs to the first."""
    schema.ready_url(settings)
    return replace(settings, home=tmp_path / "other")


def test_another_home_is_refused_and_the_first_goes_on(settings, other):
    refusal = f"belongs to the home {settings.home} on .* this one is {other.home}: give each home a database"
    for _ in range(2):
        with pytest.raises(OlistError, match=refusal):
            schema.ready_url(other)
        assert schema.ready_url(settings) == settings.postgres_url


def test_who_only_reads_is_not_asked_and_gets_no_identity(settings, other):
    assert schema.reading_url(other) == settings.postgres_url
    assert not other.home.exists()


@pytest.mark.parametrize("carry", [shutil.move, shutil.copytree])
def test_a_home_that_was_moved_or_copied_is_the_same(settings, other, carry):
    carry(settings.home, other.home)
    assert schema.ready_url(other) == settings.postgres_url


def test_a_copy_is_refused_while_the_other_one_is_at_work(settings, other):
    shutil.copytree(settings.home, other.home, copy_function=shutil.copy2)
    with home.at_work(settings):
        for act in (lambda: schema.ready_url(other), lambda: home.at_work(other).__enter__()):
            with pytest.raises(
                OlistError, match=f"Another copy of the home {other.home} is at work .*: wait for its end"
            ):
                act()
        assert schema.ready_url(settings) == settings.postgres_url
        with home.at_work(settings):
            assert schema.reading_url(other) == settings.postgres_url, "who reads may"
    assert schema.ready_url(other) == settings.postgres_url


def test_a_home_under_two_names_is_one(settings, other):
    """As in two containers that have one volume, or where it was moved in the middle."""
    other.home.symlink_to(settings.home)
    with home.at_work(settings), home.at_work(other):
        assert schema.ready_url(other) == schema.ready_url(settings)


def test_work_goes_on_where_the_server_ends_the_connection(settings, other, database):
    with home.at_work(settings):
        query(database, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = %s", [home.AT_WORK])


def test_a_home_that_was_moved_is_not_gone(settings, other, tmp_path):
    before = home.owner(settings.postgres_url)
    shutil.move(settings.home, other.home)
    schema.ready_url(other)
    after = home.owner(settings.postgres_url)
    assert before
    assert after
    assert (after.identity, after.since) == (before.identity, before.since)
    with pytest.raises(OlistError, match=f"belongs to the home {other.home} on"):
        schema.ready_url(replace(settings, home=tmp_path / "third"))


def test_a_home_that_was_moved_is_shown_where_the_database_takes_no_changes(settings, other, database):
    """After a disaster a home is restored elsewhere, beside a standby."""
    before = home.owner(settings.postgres_url)
    shutil.move(settings.home, other.home)
    alone(database, "ALTER ROLE postgres SET default_transaction_read_only = on")
    try:
        assert schema.ready_url(other) == other.postgres_url
        assert home.owner(other.postgres_url) == before
    finally:
        alone(f"{database}&options=-c%20default_transaction_read_only%3Doff", "ALTER ROLE postgres RESET ALL")


def test_a_new_home_takes_the_place_of_one_that_is_gone(settings, other, monkeypatch):
    shutil.rmtree(settings.home)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("socket.gethostname", lambda: "another.machine")
        with pytest.raises(OlistError, match="give each home a database"):
            schema.ready_url(other)
    assert schema.ready_url(other) == settings.postgres_url
    with pytest.raises(OlistError, match=f"belongs to the home {other.home} on"):
        schema.ready_url(settings)


def test_a_home_may_take_the_place_of_another(settings, other):
    former = home.adopt(other, other.postgres_url)
    assert former is not None
    assert former.place.startswith(f"{settings.home} on ")
    assert schema.ready_url(other) == other.postgres_url
    with pytest.raises(OlistError, match=f"belongs to the home {other.home} on"):
        schema.ready_url(settings)


def test_two_homes_that_begin_at_once_are_told_apart(settings, tmp_path):
    begin = threading.Barrier(2)

    def act(name):
        begin.wait()
        try:
            return schema.ready_url(replace(settings, home=tmp_path / name))
        except OlistError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(act, "ab"))
    assert said[1] == settings.postgres_url
    assert said[0].startswith("The database of OLIST_POSTGRES_URL belongs to the home")


@pytest.mark.parametrize("torn", ["", "half of an ident", "\0"])
def test_an_identity_that_is_none_is_given_anew_and_only_once(tmp_path, torn):
    (tmp_path / home.IDENTITY).write_text(torn)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(home.identity_of, [tmp_path] * 8))) == 1


def test_the_runtime_role_may_take_it_and_the_analyst_may_look(granted, settings):
    runtime, analyst = (replace(settings, postgres_url=as_role(granted, role)) for role in (RUNTIME, ANALYST))
    with pytest.raises(OlistError, match="takes no changes"):
        schema.ready_url(analyst)
    schema.ready_url(runtime)
    schema.ready_url(analyst)
    assert home.adopt(runtime, str(runtime.postgres_url)) is None  # it is its own already


def test_the_embedded_server_is_in_its_home(settings):
    embedded = Settings(settings.home, settings.landing, None)
    home.claim(embedded, settings.postgres_url)
    assert home.owner(settings.postgres_url) is None
    with pytest.raises(OlistError, match="lies in its home"):
        home.adopt(embedded, settings.postgres_url)
