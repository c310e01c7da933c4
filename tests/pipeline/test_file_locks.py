"""Locks on files: one holder, who gives them up by closing them or by their end."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from olist_pipeline.file_locks import alone, is_held, lock_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


def test_there_is_one_holder_until_it_closes_the_file(path):
    assert not is_held(path)
    with lock_file(path):
        assert is_held(path)
        with pytest.raises(BlockingIOError):
            lock_file(path)
    assert not is_held(path)
    lock_file(path).close()


def test_a_holder_that_is_killed_holds_nothing(path):
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    holder = context.Process(target=hold, args=(path, sender), daemon=True)
    holder.start()
    assert receiver.recv()
    assert is_held(path)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    assert not is_held(path)


def hold(path, answers):
    with lock_file(path):
        answers.send(True)
        time.sleep(600)


@pytest.mark.parametrize("seconds", [None, 60])
def test_who_waits_gets_it_next(path, seconds):
    held = lock_file(path)
    threading.Timer(0.05, held.close).start()
    with lock_file(path, seconds=seconds):
        assert held.closed


def test_who_waits_ends_some_time(path):
    with lock_file(path), pytest.raises(BlockingIOError):
        lock_file(path, seconds=0.02)


def test_a_file_that_its_holder_removed_is_not_what_the_next_one_holds(path):
    """Two who hold two files of one name would both think that they are alone."""
    held = lock_file(path)

    def remove_and_give_up():
        path.unlink()
        held.close()

    threading.Timer(0.05, remove_and_give_up).start()
    with lock_file(path, seconds=None):
        assert is_held(path)


def test_its_folder_must_be_there(path):
    with pytest.raises(FileNotFoundError):
        lock_file(path / "deeper")


def test_who_waits_for_ever_may_be_called_off(path):
    """A thread gets no signal: what it calls meanwhile says that the run was interrupted."""

    def interrupted():
        raise KeyboardInterrupt

    with lock_file(path), pytest.raises(KeyboardInterrupt), alone(path, interrupted):
        pytest.fail("it had the lock of another one")
    with alone(path, interrupted):
        assert is_held(path)
