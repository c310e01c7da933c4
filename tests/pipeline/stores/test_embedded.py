"""The embedded server: who shares it, when it ends, and who may come in."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import psycopg2
import pytest

from olist_pipeline.errors import OlistError
from olist_pipeline.runtime_folder import runtime_folder
from olist_pipeline.stores import cluster, embedded, postgres
from tests.patience import wait_for

USER = """
import sys
from pathlib import Path
from olist_pipeline.stores import embedded
print(embedded.url_of(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""
ODD = "a b'c\"d$e%f[1]*?é,;`"


@pytest.fixture(scope="module")
def data(server_folder) -> Path:
    """A data folder in which no server runs before or after a test."""
    folder = server_folder / "embedded" / "postgres"
    end(start(folder))
    return folder


@dataclass(frozen=True)
class User:
    """A process that uses the server until its input ends, and the server's address as it printed it."""

    process: subprocess.Popen[str]
    url: str

    def kill(self) -> None:
        """Kill the process, and see it gone."""
        self.process.kill()
        self.process.communicate()


def start(data: Path, **environment: str) -> User:
    """Start a process that uses the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    return User(process, process.stdout.readline().strip())


def end(user: User) -> None:
    user.process.communicate()
    assert user.process.returncode == 0


def server_of(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_running(data: Path) -> bool:
    return (data / "postmaster.pid").exists()


def test_processes_share_a_server_which_ends_with_the_last(data):
    one, other = start(data), start(data)
    assert one.url == other.url
    end(one)
    assert postgres.query(other.url, "SELECT 1 AS one") == [{"one": 1}]
    end(other)
    assert not is_running(data), "a process that ends waits for the end of its server"


def test_a_limit_of_files_that_postgresql_would_crash_at_is_named_before_it_starts(data, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (2 * 2**20, -1))
    with pytest.raises(OlistError, match="ulimit -f"):
        embedded.url_of(data)


def test_a_server_ends_when_its_last_user_is_killed(data):
    one, other = start(data), start(data)
    end(one)
    assert is_running(data)
    other.kill()
    wait_for(lambda: not is_running(data), "the end of the server", 20)


def test_a_server_whose_watcher_was_killed_gets_another_one(data):
    one = start(data)
    pid = server_of(data)
    os.kill(parent_of(pid), signal.SIGKILL)
    one.kill()
    other = start(data)
    assert server_of(data) == pid, "the server goes on"
    other.kill()
    wait_for(lambda: not is_running(data), "the end of the server", 20)


def test_a_server_that_was_killed_is_started_again(data):
    process = start(data)
    os.kill(server_of(data), signal.SIGKILL)
    other = start(data)
    assert postgres.query(other.url, "SELECT 1 AS one") == [{"one": 1}]
    end(process)
    end(other)


def test_a_server_that_is_on_its_way_out_is_started_again(data):
    process = start(data)
    pid = server_of(data)
    connection = psycopg2.connect(process.url)
    os.kill(pid, signal.SIGTERM)  # it waits for its connections, and lets nobody else in
    wait_for(lambda: (data / "postmaster.pid").read_text().split()[-1] == "stopping", "a server that stops", 20)
    Timer(0.3, connection.close).start()
    other = start(data)
    assert server_of(data) != pid
    assert postgres.query(other.url, "SELECT 1 AS one") == [{"one": 1}]
    end(process)
    end(other)


def test_a_home_that_is_moved_while_its_server_runs_is_used_where_it_lies_now(data):
    one = start(data)
    moved = data.with_name("moved")
    data.rename(moved)
    data.with_name("postgres.locks").rename(moved.with_name("moved.locks"))
    other = start(moved)
    assert postgres.query(other.url, "SELECT 1 AS one") == [{"one": 1}]
    end(one)
    end(other)
    assert not is_running(moved)
    moved.rename(data)
    moved.with_name("moved.locks").rename(data.with_name("postgres.locks"))


@pytest.mark.parametrize("left", ["", "\0\0\0\0", "99999999999\nx\n", "²\nx\n"])
def test_a_pid_file_that_lost_its_content_with_the_power_keeps_nobody_out(data, left):
    (data / "postmaster.pid").write_text(left, "utf-8")
    user = start(data)
    assert postgres.query(user.url, "SELECT 1 AS one") == [{"one": 1}]
    end(user)


def test_a_process_that_got_the_number_of_a_server_is_left_alone(data, monkeypatch):
    """Root may not look into the process, as in some containers."""

    def refused(*_):
        raise PermissionError

    server = embedded._Server(data)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n", "utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(Path, "samefile", refused)
            patch.setattr(os, "geteuid", lambda: 0)
            assert server._pid() is None
            patch.setattr(embedded, "_is_postgres", lambda pid: True)
            assert server._pid() == stranger.pid
        stranger.kill()
    (data / "postmaster.pid").unlink()


def test_a_copy_of_a_running_server_is_another_one(data):
    process = start(data)
    copy = data.with_name("copy")
    subprocess.run(["cp", "-a", str(data), str(copy)], check=True)
    other = start(copy)
    assert server_of(copy) != server_of(data)
    end(other)
    assert is_running(data)
    end(process)


@pytest.mark.parametrize("name", [ODD, "long" * 30], ids=["odd", "long"])
def test_any_path_will_do(data, name):
    home = data.parent / name
    home.mkdir()
    process = start(data.rename(home / "postgres"), LC_ALL="C")
    [place] = postgres.query(process.url, "SELECT current_setting('unix_socket_directories') AS socket")
    folder = Path(place["socket"])
    assert folder.parent == runtime_folder(cluster.ServerUser.here().uid)
    for one in (folder, folder.parent):
        assert (one.stat().st_mode & 0o777, one.stat().st_uid) == (0o700, cluster.ServerUser.here().uid)
    end(process)
    (home / "postgres").rename(data)
    assert not folder.exists()


def test_a_data_folder_is_made_under_an_odd_path(server_folder):
    folder = server_folder / ODD / "postgres"
    cut_off = folder.with_name(".postgres.0123")
    cut_off.mkdir(parents=True)
    (cut_off / "PG_VERSION").write_text("18")
    process = start(folder, LANG="pt_BR.ISO-8859-1")
    assert postgres.query(process.url, "SELECT lower('É') AS lower, current_setting('server_encoding') AS code") == [
        {"lower": "é", "code": "UTF8"}
    ]
    assert not cut_off.exists(), "what a killed initdb leaves is never taken for a data folder"
    end(process)


def test_nobody_else_comes_in_though_an_older_version_let_them(data):
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")
    data.chmod(0o750)
    process = start(data)
    rules = postgres.query(process.url, "SELECT type, auth_method, options FROM pg_hba_file_rules")
    assert rules == [{"type": "local", "auth_method": "peer", "options": ["map=olist"]}]
    assert postgres.query(process.url, "SHOW listen_addresses") == [{"listen_addresses": ""}]
    assert data.stat().st_mode & 0o777 == 0o700
    end(process)


SOMEBODY_ELSE = cluster.ServerUser(54321, 54321, "alice")


def test_a_home_of_another_user_is_refused(data):
    with pytest.raises(OlistError, match="would run as alice: run the command as its owner"):
        cluster.prepare(data, SOMEBODY_ELSE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_home_that_root_copied_starts(data):
    subprocess.run(["chown", "-R", "root:", str(data)], check=True)
    end(start(data))
    assert (data / "base").stat().st_uid == cluster.ServerUser.here().uid


def test_a_folder_that_lost_its_content_is_no_folder_of_an_older_version(data):
    version = data / "PG_VERSION"
    version.write_bytes(b"")
    with pytest.raises(OlistError, match=r"PG_VERSION is empty: .*restore it from a backup"):
        embedded.url_of(data)
    version.write_text("18\n")


def test_a_server_that_cannot_start_says_why_in_a_sentence(data):
    settings = data / "postgresql.auto.conf"
    before = settings.read_bytes()
    settings.write_bytes(b"no_such_setting = 1\n")
    try:
        with pytest.raises(OlistError, match=r"does not start: .* contains errors \(more in .*log\)\.$") as raised:
            embedded.url_of(data)
        assert "\n" not in str(raised.value)
    finally:
        settings.write_bytes(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_programs_below_a_quote_are_copied_for_who_runs_them_though_root_lets_nobody_read(tmp_path, monkeypatch):
    programs = tmp_path / 'a "b"' / "package" / "install" / "bin"
    programs.mkdir(parents=True)
    (programs / "initdb").write_text("")
    (tmp_path / 'a "b"' / "package.libs").mkdir()
    monkeypatch.setattr(cluster, "programs", lambda: programs)
    user, before = cluster.ServerUser.here(), os.umask(0o077)
    try:
        with cluster._plain_programs(user) as folder:
            way = (folder / "initdb", folder, *folder.parents[:3])
            assert {path.stat().st_uid for path in way} == {user.uid}
    finally:
        os.umask(before)


def test_a_server_takes_a_modest_part_of_the_machine():
    small, large = cluster.sizes(2**30, 1), cluster.sizes(2**38, 64)
    assert (small["shared_buffers"], large["shared_buffers"]) == ("64MB", "512MB")
    assert (small["max_connections"], large["max_connections"]) == ("100", "300")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            '2026-01-01 00:00:00.000 UTC [7] FATAL:  could not write to file "pg_wal/x": No space left on device\n'
            "child process exited with exit code 1\n",
            'could not write to file "pg_wal/x": No space left on device; free space and run again',
        ),
        (
            "x FATAL:  insufficient file descriptors available to start server process\n",
            "insufficient file descriptors available to start server process; raise the limit of open files (ulimit -n)"
            " and run again",
        ),
        ("initdb: error: invalid locale settings\ninitdb: hint: more", "initdb: error: invalid locale settings"),
        (
            "Traceback (most recent call last):\n  ...\nBlockingIOError: [Errno 11] Resource temporarily unavailable\n",
            "BlockingIOError: [Errno 11] Resource temporarily unavailable; end other programs of this user, or raise"
            " the limit of its processes (ulimit -u) and run again",
        ),
        ("", "it gives no reason"),
    ],
)
def test_the_last_word_of_a_server_comes_with_what_to_do_and_without_its_clock(said, reason):
    assert cluster.reason_in(said, Path("/")) == reason
