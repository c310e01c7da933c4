"""The server: addresses, and what a person reads when it does not answer."""

from datetime import datetime
from pathlib import Path

import polars as pl
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres, routes, server_errors, verdicts
from olist_pipeline.stores.verdicts import Verdict
from tests.pipeline.roles import alone

TEXTS = st.text(st.sampled_from("\\\t\n\r\v\"',.Nab é\x01"), max_size=6) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4
)
"""What the format of COPY might take for something else, and anything."""


def address_of(url):
    return postgres.server_url(Settings(Path("h"), Path("l"), url))


def test_dagster_gets_psycopg2():
    assert postgres.dagster_url("postgresql://u@h/d").startswith("postgresql+psycopg2://u@h/d?options=")
    assert postgres.dagster_url("postgresql://u@/d?host=/s").startswith("postgresql+psycopg2://u@/d?host=/s&options=")


def test_another_kind_of_address_is_refused():
    with pytest.raises(OlistError, match="must look like postgresql"):
        address_of("mysql://h/d")


def test_a_server_that_does_not_answer_is_one_sentence():
    with pytest.raises(OlistError, match="PostgreSQL does not answer") as raised:
        postgres.connect("postgresql://nobody@127.0.0.1:1/none")
    assert "\n" not in str(raised.value)


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS, st.none() | st.booleans()), max_size=5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_copied_comes_back_as_it_was(database, rows):
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String, "c": pl.Boolean}, orient="row")
    with postgres.transaction(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (a text, b text, c boolean) ON COMMIT DROP")
        postgres.copy_frame(connection, frame, "copied")
        cursor.execute("SELECT * FROM copied")
        assert cursor.fetchall() == rows


class Refused(psycopg2.OperationalError):
    """An error of a connection, which has no code."""


AT = 'connection to server at "h" (10.0.0.1), port 5432 failed: '


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ('FATAL:  password authentication failed for user "u"', "which may have expired (password"),
        ('FATAL:  could not write init file "x"', "disk is full"),
        ("fe_sendauth: no password supplied", "asks for a password"),
        (
            "could not fork new process for connection: Resource temporarily unavailable",
            "lacks what it needs (",
        ),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "u"', "lets nobody in from here"),
        ('FATAL:  Peer authentication failed for user "u"', "refuses the user (Peer"),
        ('FATAL:  role "u" does not exist', "does not know the user"),
        ('FATAL:  role "u" is not permitted to log in', "refuses the connection (role"),
        ('FATAL:  database "d" does not exist', "has no such database"),
        ('FATAL:  permission denied for database "d"', "may not connect"),
        ("FATAL:  sorry, too many clients already", "has no connection left"),
        ('FATAL:  too many connections for role "u"', "CONNECTION LIMIT where it names a role"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "no connection left",
        ),
        ("FATAL:  the database system is shutting down", "is starting or stopping"),
        ("FATAL:  the database system is starting up", "is starting or stopping"),
        ("FATAL:  terminating connection due to administrator command", "was stopped, or ended this connection"),
        ("FATAL:  unsupported startup parameter: options", "The pooler refuses a setting"),
        ("FATAL:  etwas, das niemand kennt", "refuses the connection (etwas"),
        ('ВАЖНО:  роль "u" не существует', 'refuses the connection (роль "u" не существует)'),
        ('致命错误:  数据库 "d" 不存在', "refuses the connection (数据库"),
        (
            "Connection refused\n\tIs the server running on that host?\n"
            'connection to server at "h" (10.0.0.2), port 5432 failed: FATAL:  password authentication failed',
            "refuses the user or the password, which may have expired (password authentication failed)",
        ),
        ('definition of service "x" not found', "PGSERVICE, or the service of OLIST_POSTGRES_URL, leads nowhere"),
        ("session is read-only", "No server of OLIST_POSTGRES_URL is what target_session_attrs"),
        ("channel binding required, but SSL not in use", "does not offer what OLIST_POSTGRES_URL or a variable"),
        ('invalid integer value "ten" for connection option "connect_timeout"', "A parameter of OLIST_POSTGRES_URL"),
        ('could not load private key file "k": key values mismatch', "A parameter of OLIST_POSTGRES_URL"),
        ("SSL SYSCALL error: EOF detected", "was stopped, or ended this connection"),
        ("could not receive data from server: Connection reset by peer", "was stopped, or ended this connection"),
        ('private key file "k" has group or world access', "The encrypted connection to PostgreSQL fails"),
        ("SSL error: certificate verify failed", "The encrypted connection to PostgreSQL fails"),
        ("Connection refused", "does not answer"),
        ("timeout expired", "does not answer"),
        ('could not translate host name "h" to address', "does not answer"),
        (
            "server closed the connection unexpectedly\n\tThis probably means ...",
            "was stopped, or ended this connection",
        ),
    ],
)
def test_each_way_in_which_a_connection_fails_has_its_sentence(reason, words):
    sentence = str(server_errors.trouble(Refused(AT + reason)))
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    "parameters",
    [
        "sslmode=always",
        "ssl_min_protocol_version=TLSv9",
        "ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
        "sslnegotiation=direct&sslmode=prefer",
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(parameters):
    with pytest.raises(OlistError, match=r"A parameter of OLIST_POSTGRES_URL, .* cannot be used \(.*(ssl|SSL)"):
        postgres.connect(f"postgresql://u:secret@localhost:1/d?{parameters}")


def test_an_embedded_server_that_does_not_answer_is_no_matter_of_the_address(monkeypatch):
    monkeypatch.delenv("OLIST_POSTGRES_URL", raising=False)
    assert str(server_errors.trouble(Refused(AT + "timeout expired"))).startswith("The embedded PostgreSQL does not")
    monkeypatch.setenv("OLIST_POSTGRES_URL", "postgresql://h/d")
    assert "unset OLIST_POSTGRES_URL" in str(server_errors.trouble(Refused(AT + "timeout expired")))


def test_a_connection_that_was_closed_is_no_trouble_of_encryption():
    lost = server_errors.trouble(Refused("SSL connection has been closed unexpectedly\n\n"))
    assert "was stopped, or ended this connection (SSL connection has been closed unexpectedly)" in str(lost)


def test_what_a_live_server_refuses_is_said(server):
    unknown = server.replace("@/postgres?", "@/nowhere?")
    with pytest.raises(OlistError, match=r'no such database .*"nowhere" does not exist'):
        postgres.connect(unknown)


def test_a_server_that_ends_the_connection_is_said(database):
    with pytest.raises(OlistError, match="was stopped, or ended this connection"):
        postgres.query(database, "SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("08006", "The connection to PostgreSQL failed (why)"),
        ("0A000", "The server cannot do what is needed (why)"),
        ("25P04", "transaction_timeout, or none"),
        ("40001", "in the way of another (why); run again"),
        ("53400", "PostgreSQL lacks what it needs (why)"),
        ("54000", "cannot hold something so large or complex (why)"),
        ("55000", "is not in a state for this (why)"),
        ("57P05", "PostgreSQL was interrupted (why)"),
        ("58030", "trouble with its files or its machine (why)"),
        ("XX001", "damaged data (why)"),
        ("P0001", "A trigger or function of the database refuses this (why)"),
    ],
)
def test_whatever_is_the_servers_has_its_sentence(database, code, words):
    with pytest.raises(OlistError) as raised:
        postgres.query(database, f"DO $$ BEGIN RAISE EXCEPTION 'why' USING ERRCODE = '{code}'; END $$")
    assert words in str(raised.value)


def test_a_database_that_somebody_froze_is_said(database):
    frozen = f"{database}&options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(OlistError, match="or lift the default_transaction_read_only of its database or role"):
        postgres.query(frozen, "CREATE TABLE anything ()")


def test_a_fault_of_the_program_is_not_dressed_up(database):
    for statement, kind in (("SELECT 1 FROM", psycopg2.errors.SyntaxError), ("SELECT 1/0", psycopg2.DataError)):
        with pytest.raises(kind):
            postgres.query(database, statement)
    with pytest.raises(psycopg2.ProgrammingError, match="no results to fetch"):
        postgres.query_rows(database, "SET search_path = public")


@pytest.mark.parametrize(
    "url", ["postgresql://u:zz%xx@h/d", "postgresql://u:zz/x@h/d", "postgresql://u:a@zz@h/d", "postgresql://u@h/d?zz=1"]
)
def test_an_address_that_cannot_be_read_is_refused_without_its_words(url):
    with pytest.raises(OlistError, match="cannot read OLIST_POSTGRES_URL") as raised:
        postgres.connect(url)
    assert "zz" not in str(raised.value)


def test_a_table_that_is_gone_is_said(database):
    with pytest.raises(OlistError, match=r"lacks a part of the schema .* `olist db status`"):
        postgres.query(database, "SELECT 1 FROM migration.no_such_table")


def session(url, name):
    [row] = postgres.query(url, "SELECT current_setting(%s) AS value", [name])
    return row["value"]


def test_every_session_has_its_limits_and_those_of_the_address_hold(database):
    assert session(database, "lock_timeout") == f"{server_errors.LOCK_SECONDS}s"
    assert session(database, "statement_timeout") == "1h"
    assert session(f"{database}&options=-c%20lock_timeout%3D7s", "lock_timeout") == "7s"
    assert session(f"{database}&options=-c%20transaction_timeout%3D7s", "transaction_timeout") == "7s"
    assert "connect_timeout=3&" in postgres.with_options("postgresql://u@h/d?connect_timeout=3", {})
    assert session(f"{database}&options=-c%20lock_timeout%3D7s", "statement_timeout") == "1h"
    _, _, rest = postgres.dagster_url(database).partition("://")
    assert session(f"postgresql://{rest}", "synchronous_commit") == "off"
    assert session(f"postgresql://{rest}", "lock_timeout") == f"{server_errors.LOCK_SECONDS}s"


ODD = {
    "search_path": "pg_catalog",
    "default_transaction_isolation": "serializable",
    "TimeZone": "America/Sao_Paulo",
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "DateStyle": "SQL, DMY",
    "backslash_quote": "on",
    "bytea_output": "escape",
    "IntervalStyle": "sql_standard",
    "transform_null_equals": "on",
    "idle_session_timeout": "1s",
    "transaction_timeout": "1s",
}
LEAKED = {
    "PGTZ": "Asia/Kathmandu",
    "PGDATESTYLE": "SQL, DMY",
    "PGHOSTADDR": "127.0.0.1",
    "PGSERVICE": "none",
    "PGTARGETSESSIONATTRS": "standby",
    "PGREQUIREAUTH": "password",
    "PGCHANNELBINDING": "require",
    "PGGSSENCMODE": "require",
}
"""What a shell may have set for other work."""


@pytest.fixture
def odd(database):
    """The server, where an administrator has set everything otherwise for each new session."""
    alone(database, "; ".join(f"ALTER ROLE postgres SET {name} = '{value}'" for name, value in ODD.items()))
    yield database
    alone(database, "ALTER ROLE postgres RESET ALL")


def test_sessions_are_as_we_need_them_whatever_the_server_sets(odd, monkeypatch):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    assert session(odd, "search_path") == "public"
    assert session(odd, "transaction_isolation") == "read committed"
    _, _, rest = postgres.dagster_url(odd).partition("://")
    for url in (odd, f"postgresql://{rest}"):
        assert session(url, "TimeZone") == "UTC", "a time is shown as it comes"
    with create_engine(postgres.dagster_url(odd)).connect() as asked:
        assert asked.exec_driver_sql("SELECT current_setting('client_encoding')").scalar() == "UTF8"
    frame = pl.DataFrame({"a": ["\u6771\\n'é", None], "at": [datetime(2018, 2, 1, 3, 4, 5, 6), None]})
    with postgres.transaction(odd) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (a text, at timestamp) ON COMMIT DROP")
        postgres.copy_frame(connection, frame, "copied")
        found = postgres.copied(connection, "SELECT a FROM copied WHERE a IS NOT NULL", {"a": pl.String})
        cursor.execute("SELECT * FROM copied WHERE a = %s", [frame["a"][0]])
        assert cursor.fetchall() == frame.rows()[:1]
    assert found["a"].to_list() == frame["a"].to_list()[:1]


def test_no_limit_of_the_servers_ends_a_long_append_or_a_connection_that_waits_for_dbt(odd):
    limits = ("idle_session_timeout", "transaction_timeout")
    assert [session(odd, name) for name in limits] == ["0", "0"]


def test_variables_for_other_work_lead_to_no_other_server_and_no_other_times(server_folder, monkeypatch):
    for name, value in LEAKED.items():
        monkeypatch.setenv(name, value)
    embedded = postgres.server_url(Settings(server_folder / "shared", Path("unused"), None))
    _, _, rest = postgres.dagster_url(embedded).partition("://")
    assert session(f"postgresql://{rest}", "TimeZone") == "UTC"


def test_a_plus_and_a_blank_in_an_address_stay_what_they_are(database):
    assert session(f"{database}&application_name=a+b%20c", "application_name") == "a+b c"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
def test_a_given_server_is_taken_whatever_its_driver(scheme):
    assert address_of(f"{scheme}://u@h/d") == "postgresql://u@/d?host=h"


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
    assert verdicts.latest(database, "reconciliation") == {}
