"""Fixtures for tests of the client's machine, each of which runs against the sync and the async client.

mode    "sync" or "async": whatever uses it, or one of the next two, runs once with each
make    makes a client of that mode; by default it talks to `server`, in the dialects `TOLD`
call    finishes what such a client's method gave: a value is itself, a coroutine is awaited, a list is gone through
server  canned answers without a network, and the requests they were given to
net     a server on a port of loopback
stub    a stub server with its demo data
clock   a clock that stands, so that waiting takes no time; it notes how long it was asked to wait
"""

from __future__ import annotations

import sources  # noqa: F401 # first: it says what is missing before an import does

# isort: split
import asyncio
import inspect
import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from canned_answers import TOLD, Canned, Standing
from hypothesis import HealthCheck, settings
from loopback import Loopback
from sampling import few_of_each

from crm_sdk import AsyncCrmClient, CrmClient
from server_stub import StubServer

# How many examples a kind of run tries: those of a change are always the same ones, `make soak` looks for new ones. The
# machines are shared: how long an example takes says nothing.
for profile, examples in (("quick", 20), ("every", 100), ("soak", 2_000)):
    settings.register_profile(
        profile,
        max_examples=examples,
        derandomize=profile != "soak",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("every")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--cases``: how many cases of a test that has one for every operation or noun are run."""
    parser.addoption("--cases", type=int, default=None, metavar="N", help="run at most N cases of each test")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``--cases`` leaves out, of what is selected otherwise."""
    most = config.getoption("--cases")
    if most is not None:
        items[:], left = few_of_each(items, most)
        config.hook.pytest_deselected(items=left)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: many tests wait for something that takes its time, not the core."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many of the documented endpoints are declared."""
    from pathlib import Path

    from crm_sdk.catalogue import declared_operations

    covered = sum(not operation.is_ours(dialect) for operation in declared_operations() for dialect in operation.routes)
    inventory = json.loads((Path(__file__).parent / "contract" / "endpoints.json").read_text())
    terminalreporter.write_line(f"declared: {covered} / {len(inventory)} documented endpoints")


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer has in the environment out of the tests."""
    proxies = (f"{kind}_proxy" for kind in ("http", "https", "all", "no"))
    for name in ("CRM_BASE_URL", "CRM_API_KEY", "CRM_TENANT_ID", "CRM_DIALECTS", "CRM_PROXY", *proxies):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CRM_ALLOW_HTTP", "1")  # most servers of tests are named in the clear, and nowhere


@pytest.fixture(autouse=True)
def answers_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every stub refuse to answer what its declaration does not name."""
    monkeypatch.setattr(StubServer, "checks_answers", True)


@pytest.fixture(autouse=True)
def failures() -> Iterator[list[logging.LogRecord]]:
    """Fail a test in which a rule of a stub made a mistake; one that expects it clears the list."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append  # type: ignore[assignment, method-assign] # all it does is to keep them
    logger = logging.getLogger("server_stub")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
    assert [record.getMessage() for record in records] == []


@pytest.fixture
def clock() -> Standing:
    return Standing()


@pytest.fixture
def server() -> Canned:
    return Canned()


@pytest.fixture
def net() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture
def stub() -> StubServer:
    return StubServer()


@pytest.fixture(scope="module")
def shared() -> StubServer:
    return StubServer()


@pytest.fixture
def restored(shared: StubServer) -> Iterator[StubServer]:
    """One server for the tests of a module, set back after each: quicker than a new one."""
    start = shared.snapshot()
    yield shared
    shared.restore(start)


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(mode: str, server: Canned, clock: Standing) -> Callable[..., Any]:
    def client(base_url: str = "http://crm.test", api_key: str | None = "key", **options: Any) -> Any:
        given: dict[str, Any] = {"http_client": httpx.MockTransport(server), "clock": clock, "dialects": TOLD} | options
        return (CrmClient if mode == "sync" else AsyncCrmClient)(base_url, api_key, **given)

    return client


@pytest.fixture
def call(mode: str) -> Iterator[Callable[[Any], Any]]:
    async def collected(items: Any) -> list[Any]:
        return [item async for item in items]

    with asyncio.Runner() as runner:

        def finish(value: Any) -> Any:
            if inspect.iscoroutine(value):
                return runner.run(value)
            if hasattr(value, "__aiter__"):
                return runner.run(collected(value))
            return list(value) if hasattr(value, "__iter__") and hasattr(value, "pages") else value

        yield finish
