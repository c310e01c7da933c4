"""The address of a given server: what is read alike by all, what is refused, and that no sentence shows a secret."""

import os
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy
from hypothesis import given as for_all
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import make_url

from olist_pipeline.cli.main import main
from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from olist_pipeline.stores import postgres
from olist_pipeline.stores.postgres import read_address

SECRET = "S3cret7Mark"


@for_all(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_password_of_any_characters_reaches_both_drivers(password):
    url = read_address(f"postgresql://u:{quote(password, safe='')}@h:5433/d")
    assert parse_dsn(url) == {"user": "u", "password": password, "host": "h", "port": "5433", "dbname": "d"}
    parsed = make_url(postgres.dagster_url(url))
    assert (parsed.username, parsed.password, parsed.database) == ("u", password, "d")
    assert (parsed.query["host"], parsed.query["port"]) == ("h", "5433")


@pytest.mark.parametrize(
    "spelled",
    [
        "postgresql://postgres@{socket}:5432/postgres",
        "postgresql+psycopg2://postgres@/postgres?host={socket}&port=5432",
        "postgres://postgres@{socket}/postgres?options=-c%20work_mem%3D7MB",
        "postgresql:///postgres?user=postgres&host={socket},{socket}&port=5432,5432",
    ],
)
def test_sockets_options_and_several_hosts_are_said_in_any_way(server, spelled):
    socket = parse_dsn(server)["host"]
    url = read_address(spelled.format(socket=quote(socket, safe="")))
    [row] = postgres.query(url, "SELECT current_user AS who, current_setting('work_mem') AS memory")
    assert row["who"] == "postgres"
    assert (row["memory"] == "7MB") is ("7MB" in spelled)
    with closing(sqlalchemy.create_engine(postgres.dagster_url(url)).raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",)


MALFORMED = {
    "another database": f"mysql://u:{SECRET}@h/d",
    "key words": f"host=h password={SECRET}",
    "an at sign": f"postgresql://u:pw@{SECRET}@h/d",
    "a slash": f"postgresql://u:pw/{SECRET}@h/d",
    "a hash": f"postgresql://u:pw#{SECRET}@h/d",
    "a percent sign": f"postgresql://u:{SECRET}%zz@h/d",
    "no host": f"postgresql://u:{SECRET}",
    "a port in letters": f"postgresql://u:{SECRET}@h:{SECRET}/d",
    "a letter in LATIN1": f"postgresql://u:{SECRET}%E9@h/d",
    "an unknown parameter": f"postgresql://u:{SECRET}@h/d?{SECRET}=1",
    "an open bracket": f"postgresql://u:{SECRET}@[::1/d",
    "a blank": f"postgresql://u:pw {SECRET}@h/d",
}
REFUSED = {
    "a closed port": (f"postgresql://u:{SECRET}@127.0.0.1:1/d", "does not answer"),
    "an unknown host": (f"postgresql://u:{SECRET}@no-such-host.invalid/d", "does not answer"),
    "no such socket": (f"postgresql://u:{SECRET}@%2Fno%2Fsuch/d", "does not answer"),
    **{name: (url, "must look like postgresql://") for name, url in MALFORMED.items()},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_a_sentence_without_the_secret(name, tmp_path, monkeypatch, capsys):
    url, words = REFUSED[name]
    said = said_by_events(url, tmp_path, monkeypatch, capsys)
    assert words in said
    assert SECRET not in said


@contextmanager
def kept_umask():
    """Undo what is for a process of its own."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def said_by_events(url, home, monkeypatch, capsys) -> str:
    """Return the sentence in which `olist events` ends."""
    monkeypatch.setenv("OLIST_HOME", str(home))
    monkeypatch.setenv("OLIST_POSTGRES_URL", url)
    monkeypatch.setattr("sys.argv", ["olist", "events"])
    with kept_umask(), pytest.raises(SystemExit, match="1"):
        main()
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("olist: ")
    assert written.err.count("\n") == 1
    return written.err


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text("from the file@\n", "utf-8")
    return path


def test_a_password_comes_from_a_file(password_file):
    assert parse_dsn(read_address("postgresql://u@h/d", password_file))["password"] == "from the file@"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read: No such file"), (b"\xff", "no text in UTF-8"), (b"\n", "alone"), (b"a\nb\n", "alone")],
)
def test_a_password_file_that_holds_none_is_refused(password_file, content, sentence):
    password_file.unlink() if content is None else password_file.write_bytes(content)
    with pytest.raises(OlistError, match=sentence):
        read_address("postgresql://u@h/d", password_file)


def test_two_passwords_are_refused(password_file):
    with pytest.raises(OlistError, match="leave one out") as raised:
        read_address(f"postgresql://u:{SECRET}@h/d", password_file)
    assert SECRET not in str(raised.value)


def test_a_password_file_without_an_address_is_refused():
    with pytest.raises(OlistError, match="set without OLIST_POSTGRES_URL"):
        Settings.from_env({"OLIST_POSTGRES_PASSWORD_FILE": "/run/secrets/password"})


def test_settings_print_no_secret():
    settings = Settings(Path("h"), Path("l"), f"postgresql://u:{SECRET}@h/d", alert_webhook=f"https://h/{SECRET}")
    assert SECRET not in repr(settings)
