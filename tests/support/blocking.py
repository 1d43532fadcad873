"""Streams and channels of every kind of client, used in one way: an async one runs on an event loop in a thread."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from crm_sdk import AsyncCrmClient, CrmClient
from server_stub import StubServer

MODES = ("sync", "asyncio", "trio")


class Blocking:
    """An async stream or channel, blocking: each of its coroutines is waited for."""

    def __init__(self, portal: BlockingPortal, wrapped: Any) -> None:
        self._portal, self._wrapped = portal, wrapped

    def __repr__(self) -> str:
        return repr(self._wrapped)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._wrapped, name)
        if not callable(value):
            return value
        return lambda *args, **kwargs: self._portal.call(partial(value, *args, **kwargs))


@contextmanager
def opened(
    client: Any, make: Callable[[Any], Any], mode: str, *, before: Callable[[Any], Any] | None = None
) -> Generator[Any]:
    """Open a stream or channel that `make` makes of the client, after it made the call `before`."""
    if mode == "sync":
        with client:
            if before is not None:
                before(client)
            with make(client) as stream:
                yield stream
        return
    with start_blocking_portal(mode) as portal, portal.wrap_async_context_manager(client):

        async def made() -> Any:
            if before is not None:
                await before(client)
            return make(client)

        stream = portal.call(made)
        with portal.wrap_async_context_manager(stream):
            yield Blocking(portal, stream)


class Place:
    """A stub, how to reach it, and somebody who does things there."""

    def __init__(self, stub: StubServer, mode: str, url: str | None) -> None:
        self.stub, self.mode, self.url = stub, mode, url
        self.user = stub.client()

    @contextmanager
    def opening(self, make: Callable[[Any], Any], client: dict[str, Any] | None) -> Generator[Any]:
        """Open a stream or channel with a client of its own."""
        who = client_of(self.stub, self.mode, self.url, **(client or {}))
        with opened(who, make, self.mode) as stream:
            yield stream


def client_of(stub: StubServer, mode: str, url: str | None, **options: Any) -> Any:
    """Return a client in process, or with a URL one on that port."""
    if url is not None:
        kind: Any = CrmClient if mode == "sync" else AsyncCrmClient
        return kind(url, **{"api_key": "acme-admin", **options})
    return stub.client(**options) if mode == "sync" else stub.async_client(**options)
