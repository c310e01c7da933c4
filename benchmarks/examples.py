"""`make bench-examples`: the service and the consumer under load, while both are killed: how fast, and what is lost.

What belongs here: the load and the count afterwards. What does not: asserting anything; what was lost is printed.

Clients place, pay and approve orders over HTTP as fast as they are answered. A client that gets no answer asks again,
as the addresses allow. Meanwhile the service and a worker are killed by SIGKILL again and again, and started anew.
Afterwards every order that a client was answered for must be there as it was answered, with all its events, each
applied once.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from examples.stream import sales
from examples.stream.consumer import Consumer
from olist_pipeline.settings import PROJECT_DIR, Settings
from olist_pipeline.stores.postgres import connect, query
from olist_pipeline.stores.schema import ready_url
from tests.environment import bare

ITEM = {
    "product_id": "p1",
    "seller_id": "s1",
    "shipping_limit_date": "2018-05-08T00:00:00",
    "price": "58.90",
    "freight_value": "13.29",
}
ORDER = {"customer_id": "c1", "order_estimated_delivery_date": "2118-05-20T00:00:00", "items": [ITEM]}
PAYMENT = {"payment_type": "credit_card", "payment_installments": 2, "payment_value": "72.19"}
STEPS = (("PUT", "", ORDER), ("PUT", "/payments/1", PAYMENT), ("POST", "/approval", None))

LOST = """
SELECT count(*) FROM unnest(%s) AS answered (order_id)
LEFT JOIN shop.orders AS kept USING (order_id)
WHERE kept.records -> 'order' ->> 'order_status' IS DISTINCT FROM 'approved' OR kept.version <> 3
   OR (SELECT array_agg(event_type ORDER BY version) FROM event_store.domain_events WHERE aggregate_id = order_id)
      IS DISTINCT FROM ARRAY['OrderPlaced', 'PaymentReceived', 'OrderApproved']
"""
WRONG = """
SELECT count(*) AS count
FROM (SELECT aggregate_id, count(*) AS events FROM event_store.domain_events GROUP BY 1) AS stored
FULL JOIN stream.orders AS applied ON applied.order_id = stored.aggregate_id
WHERE applied.events IS DISTINCT FROM stored.events
"""


@dataclass
class Clients:
    """What the clients saw: seconds of each answer, orders that are done, requests that had no answer."""

    seconds: list[float] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    unanswered: int = 0


class Program:
    """A program that is killed and started anew."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._command, self._environment = [sys.executable, "-P", "-m", *arguments], environment
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, env=self._environment, cwd="/", stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def measure(home: Path, *, seconds: float = 20, clients: int = 8, workers: int = 2, kill_every: float = 4) -> None:
    """Print the figures of a shop in a new home."""
    url = ready_url(Settings(home / "examples", home / "landing", None))
    environment = {**bare(), "OLIST_POSTGRES_URL": url, "OLIST_HOME": "/nonexistent", "PYTHONPATH": str(PROJECT_DIR)}
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    service = Program(environment, "examples.api", "--port", str(port))
    _await(port)
    following = [Program(environment, "examples.stream") for _ in range(workers)]
    seen, stop, began = Clients(), threading.Event(), time.perf_counter()
    threads = [threading.Thread(target=_shop, args=(port, n, seen, stop)) for n in range(clients)]
    for thread in threads:
        thread.start()
    killed = _kill([service, *following], seconds, kill_every)
    stop.set()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    service.kill()
    behind = query(url, WRONG)[0]["count"]
    caught_up = _until_applied(url)
    for program in following:
        program.kill()
    _print(url, seen, took, killed, behind, caught_up)
    _replay(url)


def _shop(port: int, number: int, seen: Clients, stop: threading.Event) -> None:
    """Place, pay and approve one order after the other; ask again where no answer came."""
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)
    count = 0
    while not stop.is_set():
        order_id = f"{number}-{count}"
        count += 1
        for method, path, body in STEPS:
            _ask(client, method, f"/orders/{order_id}{path}", body, seen)
        seen.done.append(order_id)


def _ask(client: httpx2.Client, method: str, path: str, body: object, seen: Clients) -> None:
    while True:
        began = time.perf_counter()
        try:
            answer = client.request(method, path, json=body)
        except httpx2.HTTPError:
            seen.unanswered += 1
            time.sleep(0.05)
            continue
        if answer.status_code == 409 and path.endswith("/approval"):
            # Approved by the request that had no answer: an order can be approved once.
            assert "ORDER_TRANSITION_NOT_ALLOWED" in answer.text, answer.text
        elif answer.status_code == 503:
            continue
        else:
            assert answer.is_success, answer.text
        seen.seconds.append(time.perf_counter() - began)
        return


def _kill(programs: list[Program], seconds: float, every: float) -> int:
    """Kill one program after the other for some seconds, and start it anew; return how often."""
    end, killed = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, every))
        if time.monotonic() < end:
            programs[killed % len(programs)].kill()
            programs[killed % len(programs)].start()
            killed += 1
    return killed


def _await(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def _until_applied(url: str) -> float:
    began = time.perf_counter()
    while query(url, WRONG)[0]["count"] and time.perf_counter() - began < 120:
        time.sleep(0.05)
    return time.perf_counter() - began


def _print(url: str, seen: Clients, took: float, killed: int, behind: int, caught_up: float) -> None:
    events = query(url, "SELECT count(*) AS count FROM event_store.domain_events")[0]["count"]
    lost = query(url, LOST, [seen.done])[0]["count"]
    slowest = statistics.quantiles(seen.seconds, n=100)
    print(
        f"service: {len(seen.seconds):,} requests in {took:.0f} s, {len(seen.seconds) / took:,.0f} a second;", end=" "
    )
    print(f"median {1000 * slowest[49]:.1f} ms, 99 of 100 within {1000 * slowest[98]:.0f} ms")
    print(f"killed {killed} times ({seen.unanswered:,} requests had no answer and were sent again)")
    print(f"orders answered for: {len(seen.done):,}; lost, or not as answered: {lost}")
    print(f"events: {events:,}; orders behind at the end of the load: {behind:,}, all applied {caught_up:.1f} s later")
    print(f"orders with an event missing or repeated: {query(url, WRONG)[0]['count']}")


def _replay(url: str) -> None:
    """Print how fast one worker reads and applies what is there, from the beginning."""
    with closing(connect(url)) as connection:
        connection.cursor().execute("TRUNCATE stream.orders")
        connection.commit()
        consumer = Consumer(url, "replay", sales.apply)
        began, cpu = time.perf_counter(), time.process_time()
        applied = sum(iter(lambda: consumer.step(connection), 0))
        took = time.perf_counter() - began
    print(f"replay by one worker: {applied:,} events, {applied / took:,.0f} a second", end=" ")
    print(f"({time.process_time() - cpu:.1f} s CPU)")


def main() -> None:
    """Measure for as long as asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.examples")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="olist-bench-") as folder:
        Path(folder).chmod(0o755)
        print(f"{os.cpu_count()} cores, {given.clients} clients, {given.workers} workers")
        measure(
            Path(folder),
            seconds=given.seconds,
            clients=given.clients,
            workers=given.workers,
            kill_every=given.kill_every,
        )


if __name__ == "__main__":
    main()
