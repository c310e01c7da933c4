"""Alerts arrive once, survive a bad webhook, and raise nothing."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from olist_pipeline import alerts
from olist_pipeline.alerts import Alert, history, log_path, send
from olist_pipeline.errors import OlistError
from olist_pipeline.settings import Settings
from tests.patience import patient

ALERT = Alert("run_failed", "run-1", "The job sales_job failed; see the run.", details={"job": "sales_job"})


@pytest.fixture
def home(tmp_path):
    return Settings(tmp_path, tmp_path / "landing", None)


class Receiver:
    """A webhook that answers each post with the next of `answers`, then with 200, as soon as it is `open`."""

    def __init__(self, *answers, location=""):
        self.open = threading.Event()
        self.open.set()
        self.received: list[dict[str, object]] = []
        waiting = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):  # noqa: N805
                self.open.wait()
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                status = waiting.pop(0) if waiting else 200
                if status == 200:
                    self.received.append(json.loads(body))
                handler.send_response(status)
                handler.send_header("Location", location)
                handler.end_headers()

            def do_GET(handler):  # noqa: N805
                handler.send_response(200)
                handler.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(alerts, "PAUSE", 0.01)
    monkeypatch.setattr(alerts, "TIMEOUT", patient(2))


def states(settings):
    return [line["state"] for line in history(settings)]


def test_an_alert_is_logged_and_posted_once(home, quick):
    hook = Receiver()
    settings = replace(home, alert_webhook=hook.url)
    for _ in range(3):
        send(settings, ALERT, wait=True)
    assert [(post["kind"], post["key"], post["details"]) for post in hook.received] == [
        ("run_failed", "run-1", {"job": "sales_job"})
    ]
    assert hook.received[0]["text"] == ALERT.text
    assert states(settings) == ["raised", "delivered"]
    send(settings, replace(ALERT, key="run-2"), wait=True)
    assert len(hook.received) == 2


def test_without_a_webhook_it_is_logged_once(home, caplog):
    for _ in range(2):
        send(home, ALERT)
    assert states(home) == ["raised"]
    assert ALERT.text in caplog.text


def test_a_webhook_that_fails_is_tried_again(home, quick):
    hook = Receiver(500, 503)
    send(replace(home, alert_webhook=hook.url), ALERT, wait=True)
    assert len(hook.received) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/nobody", "ftp://nowhere", "not an address", "http://[::1"])
def test_a_webhook_that_is_no_good_raises_nothing_and_is_tried_at_the_next_occasion(home, quick, url):
    send(replace(home, alert_webhook=url), ALERT, wait=True)
    assert states(home) == ["raised"]
    hook = Receiver()
    send(replace(home, alert_webhook=hook.url), ALERT, wait=True)
    assert len(hook.received) == 1


def test_a_slow_webhook_keeps_nobody_waiting(home, quick):
    hook = Receiver()
    hook.open.clear()
    send(replace(home, alert_webhook=hook.url), ALERT)
    assert hook.received == []
    [delivery] = [thread for thread in threading.enumerate() if thread.name == "olist-alert"]
    assert not delivery.daemon, "the process waits for it at its end"
    hook.open.set()
    delivery.join()
    assert len(hook.received) == 1


@pytest.fixture
def certificate(tmp_path):
    """A certificate that nobody trusts, with its key, in one file."""
    path = tmp_path / "own.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", path, "-out", path.with_suffix(".crt")]
    command = ["openssl", "req", "-x509", *curve, "-subj", "/CN=localhost", *files]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.mark.skipif(not shutil.which("openssl"), reason="nothing makes a certificate here")
def test_a_certificate_that_is_not_trusted_is_said(home, quick, certificate, caplog):
    hook = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    hook.server.socket = context.wrap_socket(hook.server.socket, server_side=True)
    send(replace(home, alert_webhook=hook.url.replace("http:", "https:")), ALERT, wait=True)
    assert states(home) == ["raised"]
    assert "(try 3 of 3): its certificate is not trusted (self-signed certificate)" in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_delivery(home, quick, status, caplog):
    """To a page where somebody logs in, most often, which answers whoever asks for it."""
    login = Receiver()
    hook = Receiver(*[status] * alerts.TRIES, location=login.url)
    send(replace(home, alert_webhook=hook.url), ALERT, wait=True)
    assert login.received == hook.received == []
    assert states(home) == ["raised"]
    assert f"HTTP status {status}, and no redirect is followed" in caplog.text


def test_a_webhook_that_sends_a_byte_now_and_then_is_not_waited_for(home, monkeypatch, caplog):
    monkeypatch.setattr(alerts, "PAUSE", 0.01)
    monkeypatch.setattr(alerts, "TIMEOUT", 0.2)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            with suppress(OSError):
                while not over.is_set():
                    connection, _ = listening.accept()
                    threading.Thread(target=trickle, args=(connection,), daemon=True).start()

        def trickle(connection):
            with suppress(OSError), connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"X-Still: there\r\n")

        threading.Thread(target=drip, daemon=True).start()
        send(replace(home, alert_webhook=f"http://127.0.0.1:{listening.getsockname()[1]}/"), ALERT, wait=True)
        over.set()
    assert states(home) == ["raised"]
    assert "(try 3 of 3): no answer in time" in caplog.text


def test_a_line_that_was_cut_is_passed_over(home):
    log_path(home).parent.mkdir(parents=True)
    log_path(home).write_text('{"kind": "run_fai')
    send(home, ALERT)
    assert states(home) == ["raised"]


def test_a_home_that_cannot_be_written_raises_nothing():
    send(Settings(Path("/proc/nowhere"), Path("unused"), None), ALERT)


def test_the_environment_says_where_and_whether():
    settings = Settings.from_env({"OLIST_ALERT_WEBHOOK": "http://x/y", "OLIST_AUTOMATION": "1"})
    assert (settings.alert_webhook, settings.is_automated) == ("http://x/y", True)
    assert not Settings.from_env({}).is_automated
    with pytest.raises(OlistError, match="OLIST_AUTOMATION is 'yes'"):
        Settings.from_env({"OLIST_AUTOMATION": "yes"})


@pytest.mark.parametrize(
    "line", ['{"text": "S\u00e3o'.encode()[:-1], b"null", b"[]", b'{"kind": "run_failed"}', b"\x00\xff"]
)
def test_whatever_stands_in_the_log_the_next_alert_is_raised(home, line):
    log_path(home).parent.mkdir(parents=True)
    log_path(home).write_bytes(line)
    send(home, ALERT)
    send(home, ALERT)
    assert [state for state in states(home) if state] == ["raised"]


def test_what_is_no_text_is_sent_all_the_same(home, quick, caplog):
    hook = Receiver()
    send(replace(home, alert_webhook=hook.url), replace(ALERT, text="not UTF-8: \udce3"), wait=True)
    assert [post["text"] for post in hook.received] == caplog.messages == ["not UTF-8: ?"]
    assert states(home) == ["raised", "delivered"]


def test_who_raises_an_alert_at_the_same_time_loses_none(home, monkeypatch):
    """Another process has made the log just after this one saw that there is none."""
    log_path(home).parent.mkdir(parents=True)
    log_path(home).write_bytes(b'{"kind": "other", "key": "1", "state": "raised"}\n')
    monkeypatch.setattr(Path, "exists", lambda path: False)
    send(home, ALERT)
    monkeypatch.undo()
    assert [line["kind"] for line in history(home)] == ["other", "run_failed"]
