"""How long the server waits: a client that does not go on is let go, one that waits for its answer is not."""

import asyncio

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from dashboards import patience
from tests.patience import patient

LONG = b"x" * 2**24
"""More than the buffers of a connection hold."""


async def answer(scope, receive, send):
    """Read a request to its end, and answer in longer than a client may take."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(1.5 * patience.SECONDS)
    await PlainTextResponse(LONG if scope["path"] == "/long" else b"figures")(scope, receive, send)


@pytest.fixture
def ask(monkeypatch):
    """Send parts of a request, with a pause after each, and return what comes until the server ends the connection."""
    monkeypatch.setattr(patience, "SECONDS", 0.5)

    async def ask_server(parts, pause, *, fetches=True):
        config = uvicorn.Config(answer, http=patience.Patient, log_level="critical", lifespan="off")
        config.load()
        server = uvicorn.Server(config)
        listening = await asyncio.get_running_loop().create_server(
            lambda: patience.Patient(config, server.server_state, {}), "127.0.0.1", 0
        )
        async with listening:
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname(), limit=1000)
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)
            if not fetches:
                await asyncio.sleep(5 * patience.SECONDS)
            found = await reader.read(-1)
            writer.close()
        return found

    def run(parts, pause=0.0, **more):
        async def within():
            with_limit = asyncio.wait_for(ask_server(parts, pause, **more), patient(20))
            try:
                return await with_limit
            except ConnectionError:
                return None

        return asyncio.run(within())

    return run


HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def test_an_answer_may_take_as_long_as_it_takes(ask):
    assert ask([HEAD + b"\r\n"]).endswith(b"figures")


def test_requests_follow_each_other_on_a_connection(ask):
    assert ask([2 * (HEAD + b"\r\n")]).count(b"figures") == 2


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [HEAD],
        [HEAD, *(b"X: 1\r\n" for _ in range(9))],
        [HEAD + b"Content-Length: 99\r\n\r\n", *(b"1" for _ in range(9))],
    ],
    ids=["nothing", "half a head", "a head in drops", "a body in drops"],
)
def test_a_request_that_does_not_come_is_not_waited_for(ask, parts):
    assert not ask(parts, 0.1)


def test_an_answer_that_nobody_fetches_is_not_kept(ask):
    found = ask([HEAD.replace(b"/ ", b"/long ") + b"\r\n"], fetches=False)
    assert found is None or len(found) < len(LONG)
