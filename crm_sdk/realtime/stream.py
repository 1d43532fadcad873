"""The sync and the async stream: events to iterate over, as they happen."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import anyio

from ..errors import ConfigurationError, CrmError, DeadlineExceededError
from .drivers import Ended
from .mailbox import Mailbox
from .position import Cursor, Position

if TYPE_CHECKING:
    from typing import Self

    from ..client import Client

T_co = TypeVar("T_co", covariant=True)

Raw = Mapping[str, Any]


class Source(Protocol):
    """The source of a stream's events: a feed or a channel."""

    last_error: CrmError | None
    """The error because of which no events are received at the moment; None where there is none."""

    @property
    def up(self) -> bool:
        """Whether events are being received."""
        ...

    @property
    def position(self) -> Position[Raw]:
        """The position in the feed."""
        ...

    def when_ready(self, ready: Callable[[], None]) -> None:
        """Call `ready` whenever the source has begun."""
        ...


class Runner(Protocol):
    """Receives the events of a stream in the background."""

    def start(self, ended: Ended) -> None:
        """Begin; `ended` is called with the error if it ends by itself."""
        ...

    def stop(self) -> None:
        """Stop receiving events."""
        ...


class AsyncRunner(Protocol):
    """Receives the events of a stream in the background."""

    async def start(self, ended: Ended) -> None:
        """Begin; `ended` is called with the error if it ends by itself."""
        ...

    async def stop(self) -> None:
        """Stop receiving events."""
        ...


class _Shared(Generic[T_co]):
    """The base class of both streams: the mailbox, the reader's position, and errors."""

    def __init__(
        self,
        client: Client[Any],
        source: Source,
        mailbox: Mailbox[Raw],
        read: Callable[[Raw], T_co | None],
        what: str,
    ) -> None:
        self._client = client
        self._source = source
        self._mailbox = mailbox
        self._read: Callable[[Raw], T_co | None] = read
        self._what = what
        self._started = False
        self._pid = os.getpid()
        self._last: Cursor | None = None

    @property
    def cursor(self) -> Cursor | None:
        """The position after the last event that was read, to be stored and passed as ``since=`` later.

        None where no event has come, or the server does not number its events.
        """
        return self._last or self._source.position.first

    @property
    def dropped(self) -> int:
        """The number of events that were discarded before they were read; always 0 with ``overflow="block"``."""
        return self._mailbox.dropped

    @property
    def connected(self) -> bool:
        """Whether events are being received at this moment."""
        return self._source.up and not self._mailbox.closed and self._mine

    @property
    def ended(self) -> bool:
        """Whether no event comes any more: the stream was closed, here or by the server, and all events were read."""
        return self._mailbox.closed and not self._mailbox.pending

    @property
    def _mine(self) -> bool:
        return self._pid == os.getpid()  # a forked child does not have the thread that keeps the connection

    def __repr__(self) -> str:
        state = "closed" if self._mailbox.closed else "connected" if self.connected else "not connected"
        return f"<{type(self).__name__} of {self._what}: {state}, {len(self._mailbox)} waiting>"

    def _take(self) -> T_co | None:
        while (item := self._mailbox.take()) is not None:
            if isinstance(item, Exception):
                raise item
            seq, epoch = item.get("seq"), item.get("epoch")
            if isinstance(seq, int):
                self._last = Cursor(seq, epoch)
            event = self._read(item)
            if event is not None:
                return event
        if self._mailbox.end is not None:
            raise self._mailbox.end
        return None

    def _to_begin(self) -> bool:
        """Return whether to begin now. Raises the error of an earlier attempt."""
        mailbox = self._mailbox
        if self._started and not self._mine:
            raise ConfigurationError(f"{self._what} was begun before this process was forked: begin another here")
        if mailbox.end is not None and not mailbox.pending:
            raise mailbox.end
        if self._started or mailbox.closed:
            return False
        self._started, self._pid = True, os.getpid()
        return True

    def _not_begun(self, timeout: float) -> Exception:
        late = DeadlineExceededError(f"{self._what} did not begin within {timeout:g} s", sent=False)
        return self._mailbox.end or self._source.last_error or late


class Stream(_Shared[T_co]):
    """Events as they happen: ``with client.events.listen() as stream: for event in stream: ...``.

    The connection is kept open in the background: after a loss it is opened again, and missed events are fetched. Each
    event is delivered once and in order. Iteration raises `EventGap` where events are lost for good, and continues
    after it.
    """

    def __init__(
        self,
        client: Client[Any],
        source: Source,
        mailbox: Mailbox[Raw],
        read: Callable[[Raw], T_co | None],
        what: str,
        runner: Runner,
    ) -> None:
        super().__init__(client, source, mailbox, read, what)
        self._news = threading.Condition()
        self._began = threading.Event()
        mailbox.changed = self._notify
        source.when_ready(self._began.set)
        self._runner = runner

    def start(self) -> Self:
        """Connect, and return when the feed has begun; ``with`` calls this.

        Raises: AuthenticationError, ConnectionFailedError, DeadlineExceededError after the client's timeout.
        """
        if self._to_begin():
            try:
                self._runner.start(self._end)
                timeout = self._client.terms().timeout
                if not self._began.wait(min(timeout, threading.TIMEOUT_MAX)) or self._mailbox.end is not None:
                    raise self._not_begun(timeout)
            except BaseException as error:
                self._mailbox.close(error if isinstance(error, Exception) else None)
                self.close()
                raise
        return self

    def wait(self, timeout: float) -> T_co | None:
        """Return the next event; None where none came within `timeout` seconds, or the stream was closed.

        Raises: EventGap; the error that ended the stream for good, such as AuthenticationError.
        """
        self.start()
        mailbox, until = self._mailbox, time.monotonic() + timeout
        while True:
            self._until(lambda: mailbox.pending or mailbox.closed, until - time.monotonic())
            event = self._take()  # None where another thread took it, or it is out of date
            if event is not None or mailbox.closed or time.monotonic() >= until:
                return event

    def close(self) -> None:
        """Stop listening."""
        if self._started and self._mine:
            self._runner.stop()
        self._mailbox.close()
        self._began.set()  # wake the threads that wait for the beginning

    def _until(self, condition: Callable[[], bool], timeout: float) -> bool:
        with self._news:
            return self._news.wait_for(condition, min(timeout, threading.TIMEOUT_MAX))

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def _end(self, error: Exception | None) -> None:
        self._mailbox.close(error)
        self._began.set()

    def __iter__(self) -> Self:
        return self.start()

    def __next__(self) -> T_co:
        while True:
            event = self.wait(60.0)  # not without a limit, so that Ctrl-C works on every platform
            if event is not None:
                return event
            if self._mailbox.closed and not self._mailbox.pending:
                raise StopIteration

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncStream(_Shared[T_co]):
    """Events as they happen: ``async with client.events.listen() as stream: async for event in stream: ...``.

    As `Stream`, on asyncio or trio.
    """

    def __init__(
        self,
        client: Client[Any],
        source: Source,
        mailbox: Mailbox[Raw],
        read: Callable[[Raw], T_co | None],
        what: str,
        runner: AsyncRunner,
    ) -> None:
        super().__init__(client, source, mailbox, read, what)
        self._runner = runner

    async def start(self) -> Self:
        """Connect, and return when the feed has begun; ``async with`` calls this.

        Raises: AuthenticationError, ConnectionFailedError, DeadlineExceededError after the client's timeout.
        """
        if self._to_begin():
            self._news, self._began = anyio.Event(), anyio.Event()
            self._mailbox.changed = self._notify
            self._source.when_ready(self._began.set)
            try:
                await self._runner.start(self._end)
                timeout = self._client.terms().timeout
                with anyio.move_on_after(timeout):
                    await self._began.wait()
                if not self._began.is_set() or self._mailbox.end is not None:
                    raise self._not_begun(timeout)
            except (Exception, anyio.get_cancelled_exc_class()) as error:
                self._mailbox.close(error if isinstance(error, Exception) else None)
                await self.close()
                raise
        return self

    async def wait(self, timeout: float) -> T_co | None:
        """Return the next event; None where none came within `timeout` seconds, or the stream was closed.

        Raises: EventGap; the error that ended the stream for good, such as AuthenticationError.
        """
        await self.start()
        event: T_co | None = None
        with anyio.move_on_after(timeout):
            while (event := self._take()) is None and not self._mailbox.closed:
                await self._news.wait()
        return event

    async def close(self) -> None:
        """Stop listening, even where the task has been cancelled."""
        if self._started and self._mine:
            with anyio.CancelScope(shield=True):  # stopping a runner never takes long
                await self._runner.stop()
            self._began.set()
        self._mailbox.close()

    async def _until(self, condition: Callable[[], bool], timeout: float) -> bool:
        with anyio.move_on_after(timeout):
            while not condition():
                await self._news.wait()
        return condition()

    def _notify(self) -> None:
        told, self._news = self._news, anyio.Event()  # later waits are for the next notification
        told.set()

    def _end(self, error: Exception | None) -> None:
        self._mailbox.close(error)
        self._began.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T_co:
        while True:
            event = await self.wait(60.0)
            if event is not None:
                return event
            if self._mailbox.closed and not self._mailbox.pending:
                raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
