"""A program in the place of dbt: `ask.py LENGTH PYTHON ... ARGUMENTS` lets the fork server run dbt with ARGUMENTS.

What belongs here: as little as possible, for it is started once an invocation, without site-packages. What does not:
dbt. The LENGTH parts before ARGUMENTS are the command that starts dbt without a server: this process becomes it where
`OLIST_DBT_SERVER` names no socket of a server that answers. It ends with its parent, and dbt with it: see
`olist_pipeline.dbt_process`, which this program cannot import.
"""

import ctypes
import json
import os
import signal
import socket
import sys

SOCKET = "OLIST_DBT_SERVER"
SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Run dbt, and end with its exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    length, command = int(sys.argv[1]), sys.argv[2:]
    path = os.environ.pop(SOCKET, "")
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(path)
        asked = json.dumps([command[length:], os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109 - it is quicker to start
        socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(asked)
        answers = server.makefile("r")
        process = int(answers.readline())
    except (OSError, ValueError):
        os.execv(command[0], command)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(process, number))
    code = answers.readline()
    if not code:
        print("dbt was killed.", flush=True)
    sys.exit(int(code or 128 + signal.SIGKILL))


if __name__ == "__main__":
    main()
