"""The stub: lists among more and more records, a load on a port, and a new stub for each test."""

from __future__ import annotations

import statistics
import subprocess
import sys
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from measuring import HERE, canned, in_turn, median_of, row, served, timed

if TYPE_CHECKING:
    from server_stub import StubServer

SIZES = (1_000, 10_000, 100_000)
_HEADERS = {"authorization": "Bearer acme-admin"}
_CONNECTIONS, _SECONDS = 16, 1.0


def answer(server: StubServer, path: str, query: str = "") -> bytes:
    """Return the body of a call, which succeeds."""
    from server_stub.request.http import Request

    reply = server.handle(Request("GET", path, query, _HEADERS))
    assert reply.status == 200, reply.body
    return reply.body


def _with_leads(count: int) -> StubServer:
    """Return a stub whose company has so many leads, as different from one another as those of the demo data."""
    from server_stub import StubServer

    server = StubServer()
    leads = server.store.collection("tenant_acme", "lead")
    demo = leads.all()
    for number in range(count - len(demo)):
        of = demo[number % len(demo)]
        at = of["created_at"] - timedelta(minutes=number)
        names = {"id": f"lead_x{number}", "email": f"x{number}@example.com", "name": f"{of['name']} {number}"}
        leads.put(of | names | {"created_at": at, "updated_at": at})
    assert len(leads) == count
    return server


def lists() -> None:
    """Measure lists of 50 of the platform dialect, and snapshots, among 1,000 to 100,000 leads."""
    for count in SIZES:
        server = _with_leads(count)
        newest = server.clock.now()
        since, until = (newest - timedelta(days=days) for days in (60, 30))
        span = f"&createdAfter={since:%Y-%m-%dT%H:%M:%SZ}&createdBefore={until:%Y-%m-%dT%H:%M:%SZ}"
        print(f"  among {count:,} leads")
        for what, query, aim in (
            ("a page of 50, the newest first", "", 5_000),
            ("filtered by an indexed member", "&status=contacted", 5_000),
            ("sorted by created_at", "&sort=createdAt", 5_000),
            ("from page 20 on", "&page=20", 5_000),
            ("created in a month", span, 5_000),
            ("with a score from 50 to 60, by name", "&minScore=50&maxScore=60&sort=name", 5_000),
            ("searched for two words, some found", "&search=ana+1", 50_000),
            ("searched for a word, none found", "&search=nobodyiscalledso", 50_000),
        ):
            call = partial(answer, server, "/v1/leads", f"limit=50{query}")
            first, taken = timed(call), median_of(call, 10)
            said = f"aim at most {aim / 1000:g} ms" if count == SIZES[-1] else ""
            row(what, taken, None, "µs", f"the first time {first / 1000:,.1f} ms; {said}".rstrip("; "))
        kept = server.snapshot()
        row("snapshot", median_of(server.snapshot, 50))
        row("restore", median_of(partial(server.restore, kept), 50))
        row("the first write after a snapshot", statistics.median(_first_write(server) for _ in range(7)))


def _first_write(server: StubServer) -> float:
    server.snapshot()
    leads = server.store.collection("tenant_acme", "lead")
    doc = leads.all()[0]
    return timed(lambda: leads.put(doc | {"score": 1}))


def core() -> None:
    """Measure what one call takes without a network."""
    from server_stub import StubServer

    server = StubServer()
    for what, path, query in (
        ("one lead", "/v1/leads/lead_123", ""),
        ("a page of 50 leads", "/v1/leads", "limit=50"),
        ("a page of 100 leads", "/v1/leads", "limit=100"),
        ("all deals (flow), with what is computed of them", "/flow/api/deals", ""),
    ):
        row(what, median_of(partial(answer, server, path, query), 100))


def port() -> None:
    """Measure the stub on a port under load from another process, against a server of canned answers."""
    from server_stub import StubServer

    calls = {"one lead": "/v1/leads/lead_123", "a page of 50 leads": "/v1/leads?limit=50"}
    answers = {path.partition("?")[0]: answer(StubServer(), *path.split("?")) for path in calls.values()}
    command = [sys.executable, "-m", "server_stub", "--port", "0", "--no-limits"]
    with served(command) as url, canned(answers) as bare:
        for what, path in calls.items():
            rates = [(_load(url, path), _load(bare, path)) for _ in range(5)]
            ours, least = (statistics.median(column) for column in zip(*rates, strict=True))
            row(f"{what} / the same bytes, canned", ours, least, "req/s")


def _load(url: str, path: str) -> float:
    command = [sys.executable, str(HERE / "load.py"), url, path, str(_CONNECTIONS), str(_SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def tests() -> None:
    """Measure 500 tests of one write and one list, each with a new stub, against the same with one stub."""
    from server_stub import StubServer

    shared = StubServer()

    def test(server: StubServer) -> None:
        client = server.client(dialects="platform")
        client.leads.create({"name": "Ana", "email": "ana@example.com", "source": "website"})
        client.leads.list(limit=10)

    def own() -> None:
        test(StubServer())

    start = shared.snapshot()

    def restored() -> None:
        shared.restore(start)
        test(shared)

    ours, bare = in_turn(own, restored, 100, rounds=5)
    row("a test with a stub of its own / with a snapshot restored", ours, bare)
    row("a new stub", median_of(StubServer, 100), None, "µs", "aim at most 1 ms")
