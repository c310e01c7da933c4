"""How the process of a command ends."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading, time
from olist_pipeline.cli import program

def main():
    {does}

program.main = main
program.program()
"""


def ended(does):
    """Return the process of a command that does this, after its end."""
    command = [sys.executable, "-c", PROGRAM.format(does=does)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("does", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit(0)", 0)])
def test_ends_with_the_exit_code_of_the_command_and_what_it_printed(does, code):
    process = ended(f"print('rows'); {does}")
    assert (process.returncode, process.stdout, process.stderr) == (code, "rows\n", "")


def test_what_was_to_be_done_at_the_end_is_done():
    process = ended("atexit.register(print, 'closed'); sys.exit(0)")
    assert process.stdout == "closed\n"


def test_threads_that_are_at_work_are_waited_for():
    process = ended("threading.Thread(target=lambda: (time.sleep(0.2), print('written'))).start(); sys.exit(0)")
    assert process.stdout == "written\n"


def test_an_error_of_ours_is_shown_where_it_arose():
    process = ended("rows = {}; rows['missing']")
    assert process.returncode == 1
    assert process.stderr.endswith("KeyError: 'missing'\n")


def test_streams_that_are_closed_are_no_trouble():
    process = ended("sys.stdout.close(); sys.stderr = None; sys.exit(4)")
    assert (process.returncode, process.stderr) == (4, "")


def test_libraries_do_not_report_what_is_never_freed():
    process = ended(
        "from olist_pipeline.cli.loading import loading; exec('with loading(): import duckdb'); sys.exit(0)"
    )
    assert (process.returncode, process.stderr) == (0, "")
