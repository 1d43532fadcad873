"""An export that fails part-way is an error for the client, at every door, and never a file that looks whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crm_sdk import ConnectionFailedError, CrmClient, ServerError
from server_stub import StubServer
from server_stub.services.contacts.files import export_files

KEY = "acme-admin"
Download = Callable[[Path], object]


def _through_httpx(stub: StubServer, path: Path) -> None:
    with CrmClient(
        base_url="https://stub.test",
        api_key=KEY,
        dialects="platform",
        http_client=httpx.Client(transport=stub.transport()),
    ) as client:
        client.contacts.export(format="csv").save(path)


def _through_a_port(stub: StubServer, path: Path) -> None:
    with stub.serve() as port, CrmClient(base_url=port.url, api_key=KEY, dialects="platform", max_retries=0) as client:
        client.contacts.export(format="csv").save(path)


def _async(stub: StubServer, path: Path) -> None:
    async def download() -> None:
        client = stub.async_client(dialects="platform")
        await (await client.contacts.export(format="csv")).save(path)

    asyncio.run(download())


DOORS: dict[str, Callable[[StubServer, Path], object]] = {
    "in process": lambda stub, path: stub.client(dialects="platform").contacts.export(format="csv").save(path),
    "in process, async": _async,
    "through httpx": _through_httpx,
    "through a port": _through_a_port,
}


def failing_after(chunks: int) -> Callable[..., Iterator[bytes]]:
    def write(docs: Any, wanted: Any) -> Iterator[bytes]:
        yield from [b"x" * 70_000] * chunks
        raise ValueError("of the test")

    return write


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("chunks", "error"), [(0, ServerError), (1, ConnectionFailedError), (3, ConnectionFailedError)]
)
def test_it_is_told(
    door: str,
    chunks: int,
    error: type[Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[logging.LogRecord],
) -> None:
    monkeypatch.setitem(export_files.WRITERS, "csv", failing_after(chunks))
    with pytest.raises(error):
        DOORS[door](StubServer(), tmp_path / "contacts.csv")
    assert not list(tmp_path.iterdir()), "nothing that looks like the file"
    record = failures[0]
    failures.clear()
    assert "contacts.export" in record.getMessage()
    assert record.exc_info is not None
    assert "of the test" in str(record.exc_info[1])
