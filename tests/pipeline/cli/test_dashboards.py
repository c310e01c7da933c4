"""`olist dashboards` and `olist dev`: what they refuse, in one sentence, before they start a server."""

import socket

import pytest
from click.testing import CliRunner

from olist_pipeline.cli.servers import dashboards, dev, require_free, url_of
from olist_pipeline.errors import OlistError
from olist_pipeline.release_manifest import MANIFEST
from tests.pipeline.test_release_manifest import EARLIER


def run(*arguments, command=dashboards):
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def test_before_the_first_release_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    for arguments in ((), ("--export", str(tmp_path / "site"))):
        with pytest.raises(OlistError, match="There is no release in"):
            run(*arguments)
    assert not (tmp_path / "site").exists()


def test_an_address_that_is_taken_is_one_sentence(tmp_path, monkeypatch):
    folder = tmp_path / "serving" / "current"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_bytes((EARLIER / "both_sides.json").read_bytes())
    monkeypatch.setenv("OLIST_HOME", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OlistError, match=f"127.0.0.1:{port} is taken; choose another"):
            run("--port", str(port))
        with pytest.raises(OlistError, match=f"127.0.0.1:{port} is taken; choose another"):
            run("--port", str(port), command=dev)
    with pytest.raises(OlistError, match="cannot be listened on"):
        run("--host", "192.0.2.1")


@pytest.mark.parametrize("command", [dashboards, dev])
@pytest.mark.parametrize("port", ["0", "-1", "65536", "http"])
def test_what_is_no_port_is_a_mistake_of_typing(command, port):
    result = run(f"--port={port}", command=command)
    assert (result.exit_code, "'--port'" in result.output) == (2, True)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_an_address_of_ipv6_is_as_good_as_another():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OlistError, match=f"::1:{port} is taken"):
            require_free("::1", port)
    require_free("::1", port)
    assert (url_of("::1", port), url_of("localhost", 2718)) == (f"http://[::1]:{port}/", "http://localhost:2718/")
