"""docs/examples.md: its commands do what it says, against the service as a person starts it."""

import json
import re
import shlex
import socket
import subprocess
import sys
from contextlib import closing

import httpx2
from click.testing import CliRunner

from olist_pipeline.cli.main import cli
from olist_pipeline.settings import PROJECT_DIR
from tests.examples.conftest import program, shop
from tests.patience import patient, wait_for

DOCUMENT = (PROJECT_DIR / "docs" / "examples.md").read_text("utf-8")
SHELL = "\n".join(re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))
[REFUSED] = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
ENDLESS = {
    ".venv/bin/python -m examples.stream",  # tests/examples/test_stream.py
    ".venv/bin/olist events --follow",  # tests/pipeline/cli/test_follow.py
}
"""What runs until somebody ends it, and the test that starts it."""

__all__ = ["program", "shop"]


def commands():
    """Return the commands of the document as lists of words; one that a quote continues is one command."""
    found, rest = [], ""
    for line in SHELL.splitlines():
        rest = f"{rest}\n{line}" if rest else line
        if rest.count("'") % 2 == 0:
            found += [words] if (words := shlex.split(rest)) else []
            rest = ""
    return found


def request(client, words):
    """Send what a call of curl sends."""
    options = {name: words[words.index(name) + 1] for name in ("-X", "-d", "-H") if name in words}
    [address] = [word for word in words if word.startswith("localhost:8080")]
    headers = dict([options["-H"].split(": ")]) if "-H" in options else {}
    path = address.removeprefix("localhost:8080")
    return client.request(options.get("-X", "GET"), path, content=options.get("-d"), headers=headers)


def test_every_command_does_what_the_document_says(program, shop, monkeypatch):
    monkeypatch.setenv("OLIST_POSTGRES_URL", shop)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    [serve] = [words for words in commands() if "examples.api" in words]
    arguments = [str(port) if word == "8080" else word for word in serve[1:]]
    service = subprocess.Popen([sys.executable, "-P", *arguments], env=program, cwd="/")
    try:
        client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=patient(10))
        wait_for(lambda: answers(port), "the service", 30)
        calls = [request(client, words) for words in commands() if words[0] == "curl"]
        assert [call.status_code for call in calls] == [201, 409, 200, 200, 200, 200, 200]
        assert calls[1].json() == json.loads(REFUSED)
        assert calls[-1].json()["order"]["order_status"] == "delivered"
        assert client.get("/openapi.json").status_code == client.get("/docs").status_code == 200
    finally:
        service.kill()
        service.wait()
    for words in commands():
        if words[0] == ".venv/bin/olist" and " ".join(words) not in ENDLESS:
            result = CliRunner(env={"COLUMNS": "200"}).invoke(cli, words[1:], catch_exceptions=False)
            assert result.exit_code == 0, result.output
            assert "OrderDelivered" in result.stdout


def answers(port):
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    return True


def test_what_does_not_end_by_itself_is_started_by_a_test():
    assert {" ".join(words) for words in commands()} >= ENDLESS
