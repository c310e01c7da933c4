"""The server: addresses, and what a person reads when it does not answer."""

from pathlib import Path

import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres, routes, verdicts
from olist_pipeline.stores.verdicts import Verdict


def given(url):
    return postgres.server_url(Settings(Path("h"), Path("l"), url))


def test_dagster_gets_psycopg2():
    assert postgres.dagster_url("postgresql://u@h/d").startswith("postgresql+psycopg2://u@h/d?options=")
    assert postgres.dagster_url("postgresql://u@/d?host=/s").startswith("postgresql+psycopg2://u@/d?host=/s&options=")


def test_another_kind_of_address_is_refused():
    with pytest.raises(OlistError, match="must look like postgresql"):
        given("mysql://h/d")


def test_a_server_that_does_not_answer_is_one_sentence():
    with pytest.raises(OlistError, match="PostgreSQL does not answer") as raised:
        postgres.connect("postgresql://nobody@127.0.0.1:1/none")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
def test_a_given_server_is_taken_whatever_its_driver(scheme):
    assert given(f"{scheme}://u@h/d") == "postgresql://u@/d?host=h"


def test_a_failed_transaction_leaves_nothing(database):
    with pytest.raises(ZeroDivisionError):
        change_and_fail(database)
    assert postgres.query(database, "SELECT * FROM migration.routes") == []


def change_and_fail(url):
    with postgres.transaction(url) as connection:
        connection.cursor().execute(
            "INSERT INTO migration.routes (context, route, changed_by, reason) VALUES ('sales', 'new', 'me', 'so')"
        )
        raise ZeroDivisionError


def test_a_context_starts_in_shadow_and_its_changes_are_kept(database):
    assert routes.read_routes(database, ["sales"]) == {"sales": "shadow"}
    with postgres.transaction(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO migration.routes (context, route, changed_by, reason) VALUES ('sales', 'new', 'me', 'so')"
        )
        cursor.execute("UPDATE migration.routes SET route = 'old', reason = 'a doubt'")
    assert routes.read_routes(database, ["sales"]) == {"sales": "old"}
    history = [(row["old_route"], row["new_route"], row["reason"]) for row in routes.history(database, "sales")]
    assert history == [(None, "new", "so"), ("new", "old", "a doubt")]


def test_the_latest_verdict_of_each_table_counts(database):
    def verdict(name, run):
        return Verdict("sales", "fact_orders", "parity", name, name != "differs", "subject", {"a": 1}, run)

    verdicts.record(database, verdict("differs", "r1"))
    verdicts.record(database, verdict("identical", "r2"))
    latest = verdicts.latest(database, "parity")["sales", "fact_orders"]
    assert (latest.verdict, latest.is_green, latest.run_id, latest.report) == ("identical", True, "r2", {"a": 1})
    assert verdicts.latest(database, "conservation") == {}
