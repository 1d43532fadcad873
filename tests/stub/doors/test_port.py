"""The stub on a real port: the same server behind HTTP, and a state file that a kill -9 does not harm."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpx
import pytest
from patience import HANG

from crm_sdk import AsyncCrmClient, CrmClient, CrmError
from server_stub import StubServer
from server_stub.doors.asgi import _listen, _uvicorn

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with StubServer().serve() as port:
        yield port.url


def test_the_sdk_talks_to_it(url: str) -> None:
    with CrmClient(url, "acme-admin", dialects="mvp") as client:
        made = client.leads.create({"name": "Over the wire"})
        assert client.leads.get(made.id) == made
    with CrmClient(f"{url}/v1", "acme-admin", dialects="platform") as client:
        assert client.leads.get(made.id).name == "Over the wire"
        assert client.contacts.export(format="csv").read().startswith(b"id,")


async def gather(url: str) -> int:
    import asyncio

    async with AsyncCrmClient(url, "acme-admin") as client:
        found = await asyncio.gather(*(client.leads.get("lead_123") for _ in range(200)))
    return len({lead.id for lead in found})


def test_many_at_once(url: str) -> None:
    import asyncio

    assert asyncio.run(gather(url)) == 1


LOGIN = {"email": "ada@acme.test", "password": "demo-password"}
KEY = {"Authorization": "Bearer acme-admin"}


@pytest.mark.parametrize(
    ("limit", "method", "path", "body"),
    [
        (5, "POST", "/flow/api/auth/login", LOGIN),
        (20, "POST", "/flow/ai/sentiment", {"text": "great"}),
        (100, "GET", "/flow/api/deals/forecast", None),
        (1_000, "GET", "/mvp/api/agents", None),
    ],
)
def test_limits_are_enforced_on_a_port(limit: int, method: str, path: str, body: object) -> None:
    stub = StubServer()
    stub.store.collection("tenant_acme", "tenant").put(stub.tenant("tenant_acme") | {"plan": "free"})
    with stub.serve() as port, httpx.Client(base_url=port.url, headers=KEY) as http:
        answers = [http.request(method, path, json=body) for _ in range(limit)]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {str(limit)}
        assert [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers] == list(range(limit))[::-1]
        refused = http.request(method, path, json=body)
        wait = int(refused.headers["Retry-After"])
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert 0 < wait <= (3600 if limit == 1_000 else 60)
        assert http.get("/v1/leads?limit=1").status_code == 200, "another class"
        stub.clock.advance(wait)
        assert http.request(method, path, json=body).status_code == 200


@pytest.mark.parametrize(("plan", "limit"), [("free", 1_000), ("pro", 10_000), ("enterprise", 100_000)])
def test_the_plan_says_how_many_calls_an_hour_has(plan: str, limit: int) -> None:
    stub = StubServer()
    stub.store.collection("tenant_acme", "tenant").put(stub.tenant("tenant_acme") | {"plan": plan})
    with stub.serve() as port:
        now = stub.clock.now().timestamp()
        answer = httpx.get(f"{port.url}/mvp/api/leads", headers=KEY)
    told = [int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]
    assert told[:2] == [limit, limit - 1] and 3_595 < told[2] - now < 3_605


def test_limits_can_be_counted_only() -> None:
    with StubServer(enforce_limits=False).serve() as port, httpx.Client(base_url=port.url) as http:
        answers = [http.post("/flow/api/auth/login", json=LOGIN) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[-1].headers["X-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    "target",
    ["/api/leads/lead%2F123", "/api/leads/%00", "/v1/leads?page=1&page=2", "/%zz", "//", "/api/leads/" + "x" * 3000],
)
def test_odd_targets_get_an_answer(url: str, target: str) -> None:
    answer = httpx.get(url + target, headers={"Authorization": "Bearer acme-admin"})
    assert answer.status_code in (200, 400, 404, 422) and answer.json()


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    listener = _listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()) as _, listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert listener.proto == socket.IPPROTO_TCP  # what asyncio looks at


def test_a_port_that_is_taken_is_told(url: str) -> None:
    port = int(url.rpartition(":")[2])
    done = subprocess.run(
        [sys.executable, "-m", "server_stub", "--port", str(port)],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 1 and f"cannot listen on 127.0.0.1:{port}" in done.stderr


class Process:
    """A server in a process of its own."""

    def __init__(self, db: Path) -> None:
        command = [sys.executable, "-m", "server_stub", "--port", "0", "--no-limits", "--db", str(db)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = next(word for word in self.process.stdout.readline().split() if word.startswith("http"))

    def kill(self) -> None:
        """End it as the kernel would."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    db = tmp_path / "state.db"
    answered: list[str] = []

    def write(url: str, life: int, several: threading.Event) -> None:
        with CrmClient(url, "acme-admin", dialects="mvp", max_retries=0) as client, suppress(CrmError):
            for number in count():
                answered.append(client.leads.create({"name": f"life {life} number {number}"}).id)
                if number == 3 + life:
                    several.set()

    for life in range(3):
        server, several = Process(db), threading.Event()
        writer = threading.Thread(target=write, args=(server.url, life, several))
        writer.start()
        assert several.wait(HANG)
        server.kill()  # the writer is in its next call, or about to make it
        writer.join()
    server = Process(db)
    with CrmClient(server.url, "acme-admin", dialects="mvp") as client:
        there = {lead.id for lead in client.leads.list(limit=200)}
        again = client.leads.create({"name": "after"})
    server.kill()
    assert len(answered) >= 4 + 5 + 6
    assert set(answered) <= there
    assert again.id not in there


def test_the_extra_server_brings_a_parser_in_c() -> None:
    made = _uvicorn(StubServer())
    made.config.load()
    assert isinstance(made.config.http_protocol_class, type)
    assert made.config.http_protocol_class.__name__ == "HttpToolsProtocol"
