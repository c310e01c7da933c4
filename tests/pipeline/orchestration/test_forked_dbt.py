"""A dbt that was forked from the server is dbt to whoever calls it: its output, its exit code, its end by a signal."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from olist_pipeline.dbt_process import KILLED
from olist_pipeline.orchestration.forked_dbt import ASKING, ForkServer
from olist_pipeline.orchestration.forked_dbt.ask import SOCKET
from olist_pipeline.orchestration.forked_dbt.serve import MOST_STARTS, STARTS, STATIC_PARSER
from olist_pipeline.settings import DBT_DIR
from tests.patience import patient, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose dbt is prepared with arguments that it refuses, so that no project is parsed."""
    server = ForkServer(DBT_DIR, ["--no-such-option"])
    yield server
    server.stop()


@pytest.fixture
def environment(server):
    return {**os.environ, SOCKET: str(server.path)}


def ask(arguments, environment, **options):
    return subprocess.run(
        [*ASKING, *arguments], env=environment, capture_output=True, text=True, check=False, **options
    )


def forked_from(server):
    """Return the ids of the processes that were forked from the server and have not ended."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(process) for process, state in rows if not state.startswith("Z")]


def test_output_and_exit_code_are_those_of_dbt(environment, tmp_path):
    refused = ask(["build", "--no-such-option"], environment)
    assert refused.returncode == 2
    assert "No such option '--no-such-option'" in refused.stderr
    failed = ask(["build", "--profiles-dir", "."], environment, cwd=tmp_path)
    assert failed.returncode == 2
    assert "No dbt_project.yml found" in failed.stdout
    assert str(tmp_path) in failed.stdout
    variable = {**environment, "DBT_LOG_FORMAT": "json"}
    assert json.loads(ask(["build", "--profiles-dir", "."], variable, cwd=tmp_path).stdout.splitlines()[0])["info"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_dbt_ends_with_who_asked_for_it(server, environment, tmp_path, number):
    os.mkfifo(tmp_path / "dbt_project.yml")  # whoever reads it waits
    command = [*ASKING, "build", "--profiles-dir", ".", "--project-dir", str(tmp_path)]
    asking = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: forked_from(server), "dbt", seconds=10)
        while forked_from(server):  # the signal may come before either has got ready for it
            asking.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                asking.wait(0.5)
        assert asking.wait(patient(10)) != 0
    finally:
        asking.kill()
        asking.communicate()


def test_a_dbt_that_is_killed_ends_who_asked_as_the_system_says_it(server, environment, tmp_path):
    os.mkfifo(tmp_path / "dbt_project.yml")
    command = [*ASKING, "build", "--profiles-dir", ".", "--project-dir", str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as asking:
        try:
            wait_for(lambda: forked_from(server), "dbt", seconds=10)
            os.kill(forked_from(server)[0], signal.SIGKILL)
            assert asking.wait(patient(10)) in KILLED
        finally:
            asking.kill()


@pytest.mark.long
def test_the_server_ends_with_its_starter_and_takes_its_socket_along(tmp_path):
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from olist_pipeline.orchestration.forked_dbt import ForkServer\n"
        "server = ForkServer(Path(sys.argv[1]), ['--no-such-option'])\n"
        "print(server.process.pid, server.path, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    process, path = done.stdout.split()
    wait_for(lambda: not Path(path).exists(), "the end of the socket", seconds=20)
    wait_for(lambda: not Path(f"/proc/{process}").exists(), "the end of the server", seconds=20)


@pytest.mark.long
def test_a_server_ends_though_its_starter_ignores_the_signal_that_ends_it(tmp_path):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        server = ForkServer(tmp_path, ["--version"])
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(patient(30))
        assert not stopping.is_alive()
    finally:
        signal.signal(signal.SIGTERM, before)
        server.process.kill()


def test_without_a_server_that_answers_the_program_becomes_dbt(tmp_path):
    command = [*ASKING[:3], "3", sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(3)", "--version"]
    for path in (None, tmp_path / "none"):
        environment = {name: value for name, value in os.environ.items() if name != SOCKET}
        if path:
            environment[SOCKET] = str(path)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (3, "['--version']\n")


@pytest.mark.long
@pytest.mark.parametrize("leaves_threads", [True, False])
def test_a_server_whose_preparation_leaves_threads_behind_keeps_nobody_waiting(tmp_path, monkeypatch, leaves_threads):
    if leaves_threads:
        monkeypatch.setenv(STATIC_PARSER, "true")
    monkeypatch.setenv(STARTS, str(MOST_STARTS - 1))  # the last start that prepares
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.sql").write_text("{{ config(materialized='table') }} select 1 as one")
    (tmp_path / "dbt_project.yml").write_text("name: small\nprofile: small\n")
    (tmp_path / "profiles.yml").write_text("small: {target: dev, outputs: {dev: {type: duckdb}}}\n")
    # A parse of the whole project, each time.
    parse = ["parse", "--no-partial-parse", "--profiles-dir", str(tmp_path), "--target-path", str(tmp_path / "target")]
    server = ForkServer(tmp_path, parse)
    try:
        done = subprocess.run(
            [*ASKING, *parse],
            cwd=tmp_path,
            env={**os.environ, SOCKET: str(server.path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(60),
        )
        started_with = Path(f"/proc/{server.process.pid}/environ").read_text().split("\0")
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout
    assert f"{STARTS}={MOST_STARTS if leaves_threads else MOST_STARTS - 1}" in started_with
