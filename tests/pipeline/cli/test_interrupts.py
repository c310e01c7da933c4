"""Interrupts: a command that is asked to end says so in one sentence, and its exit code names the signal."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from olist_pipeline.cli import execution, interrupts, servers
from olist_pipeline.cli.execution import Planned, run_jobs
from olist_pipeline.months import MonthRange
from olist_pipeline.orchestration import definitions
from olist_pipeline.settings import Settings
from tests.patience import patient, wait_for

OLIST = Path(sys.executable).with_name("olist")
SAID = [(signal.SIGINT, "Ctrl+C"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "the terminal was closed")]


@pytest.mark.parametrize(("number", "name"), SAID)
def test_a_signal_ends_a_command_in_one_sentence(tmp_path, number, name):
    out = tmp_path / "landing"
    command = [str(OLIST), "data", "generate", "--orders", "2000000", "--out", str(out)]
    environment = {**os.environ, "OLIST_HOME": str(tmp_path / "home")}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    wait_for(out.exists, "the first file", 60)
    process.send_signal(number)
    said, _ = process.communicate(timeout=patient(60))
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert f"olist: Interrupted ({name})" in said.strip().splitlines()[-1]


def test_a_command_that_outlives_its_terminal_does_not_end_with_it(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` has it
    with interrupts.noticed():
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        with interrupts.left_to_server():
            signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.fixture
def handlers(monkeypatch):
    """Leave the handlers of signals as they were, and no signal that was received."""
    before = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    monkeypatch.setattr(interrupts, "_received", [])
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests may run under nohup, which has it ignored
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_came_before_a_command_or_after_it_is_nothing_to_it(handlers):
    with pytest.raises(interrupts.Interrupted), interrupts.noticed():
        signal.raise_signal(signal.SIGTERM)
    assert interrupts.received() == signal.SIGTERM
    for number in interrupts.SIGNALS:
        signal.signal(number, lambda *_: None)
        signal.raise_signal(number)
    with interrupts.noticed():
        assert interrupts.received() is None
    assert interrupts.received() is None


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_signal_ends_a_run_which_dagster_knows_to_have_failed(tmp_path, monkeypatch, handlers, number):
    done = []

    @dg.op(out=dg.Out(dg.Nothing))
    def asked_to_end():
        done.append("asked_to_end")
        os.kill(os.getpid(), number)
        time.sleep(patient(60))

    @dg.op(ins={"after": dg.In(dg.Nothing)})
    def next_step():
        done.append("next_step")

    @dg.job(executor_def=dg.in_process_executor)
    def work():
        next_step(asked_to_end())

    month = date(2018, 1, 1)
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(execution, "quiet_instance", lambda _: nullcontext(instance))
        monkeypatch.setattr(definitions, "build_defs", lambda _: dg.Definitions(jobs=[work]))
        with pytest.raises(interrupts.Interrupted), interrupts.noticed():
            run_jobs(
                Settings(tmp_path / "home", tmp_path, None),
                Console(file=io.StringIO()),
                [Planned("work", MonthRange(month, month))],
            )
        [run] = instance.get_runs()
    assert interrupts.received() == number
    assert run.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
    assert done == ["asked_to_end"]


def test_the_ui_is_asked_to_end_though_a_library_has_the_system_go_on_waiting(tmp_path, monkeypatch, handlers):
    stub = tmp_path / "ui"
    stub.write_text("#!/bin/sh\ntrap 'echo asked > asked; exit 0' INT\ntouch waiting\nwhile true; do sleep 0.1; done\n")
    stub.chmod(0o755)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr("olist_pipeline.orchestration.instance.quiet_instance", lambda _: nullcontext())
    monkeypatch.setattr("olist_pipeline.orchestration.partitions.follow_data", lambda *_: None)
    monkeypatch.setattr(sys, "executable", str(stub))

    def interrupt():
        wait_for((tmp_path / "waiting").exists, "the stub waits", 30)
        os.kill(os.getpid(), signal.SIGINT)

    def no_preparation(_):
        signal.siginterrupt(signal.SIGINT, False)  # as Polars does, once it is imported
        threading.Thread(target=interrupt).start()

    monkeypatch.setattr("olist_pipeline.orchestration.instance.prepare", no_preparation)
    assert servers.dev.callback
    with pytest.raises(interrupts.Interrupted), interrupts.noticed():
        servers.dev.callback(0, "127.0.0.1")
    assert (tmp_path / "asked").read_text() == "asked\n"
