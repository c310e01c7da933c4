"""Whom the dashboards' server answers: requests to its own names, from its own pages."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from dashboards.hosts import OwnOnly

HERE = "127.0.0.1"


def answer(headers, listening=HERE, allowed=(), kind="http"):
    """Return status and text of the answer to a request with `headers`, pairs of names and values; of a websocket that
    is closed unopened, its code and nothing.
    """
    sent = []

    async def receive():
        return {"type": f"{kind}.request"}

    async def send(message):
        sent.append(message)

    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "method": "GET", "path": "/", "headers": raw}
    asyncio.run(OwnOnly(PlainTextResponse("figures"), listening, allowed)(scope, receive, send))
    if sent[0]["type"] == "websocket.close":
        return sent[0]["code"], ""
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.mark.parametrize(
    ("host", "listening", "allowed", "status"),
    [
        ("127.0.0.1:2718", HERE, (), 200),
        ("127.0.0.1", HERE, (), 200),
        ("LocalHost:9", HERE, (), 200),
        ("localhost.", HERE, (), 200),
        ("[::1]:2718", HERE, (), 200),
        ("figures.example.com", HERE, ("Figures.example.com:443",), 200),
        ("evil.example", HERE, ("figures.example.com",), 421),
        ("sub.figures.example.com", HERE, ("figures.example.com",), 421),
        ("127.0.0.1.evil.example:2718", HERE, (), 421),
        ("evil.example:80@127.0.0.1", HERE, (), 421),
        ("127.0.0.1/evil", HERE, (), 421),
        ("127.0.0.1@evil.example", HERE, (), 421),
        ("192.0.2.7", HERE, (), 421),
        ("192.0.2.7", "192.0.2.7", (), 200),
        ("192.0.2.7:2718", "0.0.0.0", (), 200),
        ("evil.example", "0.0.0.0", (), 421),
        ("[2001:db8::1]", "::", (), 200),
        ("[evil", HERE, (), 421),
        ("", HERE, (), 421),
    ],
)
def test_a_name_that_is_not_its_own_is_refused(host, listening, allowed, status):
    found, text = answer([("host", host)], listening, allowed)
    assert found == status
    assert text == "figures" if status == 200 else f"do not go by the name {host!r}" in text


def test_a_request_without_a_host_is_refused():
    assert answer([])[0] == 421


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("origin", "host", "allowed", "is_answered"),
    [
        ("http://127.0.0.1:2718", "127.0.0.1:2718", (), True),
        ("https://figures.example.com", "127.0.0.1:2718", ("figures.example.com",), True),
        ("http://evil.example", "127.0.0.1:2718", (), False),
        ("http://127.0.0.1:8000", "127.0.0.1:2718", (), False),
        ("http://localhost:2718", "127.0.0.1:2718", (), False),
        ("null", "127.0.0.1:2718", (), False),
        ("", "127.0.0.1:2718", (), False),
    ],
)
def test_a_page_of_another_site_is_refused(origin, host, allowed, is_answered, kind):
    status, _ = answer([("host", host), ("origin", origin)], HERE, allowed, kind)
    assert status == (200 if is_answered else 403 if kind == "http" else 1008)
