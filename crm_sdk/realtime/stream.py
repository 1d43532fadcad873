"""Events as they happen, to iterate over: the sync and the async stream."""

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
    """Where a stream's events come from."""

    last_error: CrmError | None
    """Why it is not up at the moment."""

    @property
    def up(self) -> bool:
        """Whether events are being received."""
        ...

    @property
    def position(self) -> Position[Raw]:
        """Where it stands."""
        ...

    def when_ready(self, ready: Callable[[], None]) -> None:
        """Have `ready` called each time it has begun."""
        ...


class Runner(Protocol):
    """What brings a stream's events, once it was started."""

    def start(self, ended: Ended) -> None:
        """Begin; `ended` is to be told why it ended by itself, if it does."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class AsyncRunner(Protocol):
    """What brings a stream's events, once it was started."""

    async def start(self, ended: Ended) -> None:
        """Begin; `ended` is to be told why it ended by itself, if it does."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...


class _Shared(Generic[T_co]):
    """What both streams have: what waits, where the reader stands, what it is told."""

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
        """The place after the last event that was read, to be kept and given as ``since=`` another time.

        None where nothing has come, or this server does not number its events.
        """
        return self._last or self._source.position.first

    @property
    def dropped(self) -> int:
        """How many events were forgotten because nobody read them in time; always 0 with ``overflow="block"``."""
        return self._mailbox.dropped

    @property
    def connected(self) -> bool:
        """Whether events are being received at this moment."""
        return self._source.up and not self._mailbox.closed and self._mine

    @property
    def _mine(self) -> bool:
        return self._pid == os.getpid()  # what keeps the link up stayed with the process that was forked

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
        """Tell whether it is to begin now. Raises what kept it from that before."""
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

    The link is kept up in the background: it is connected again when it is lost, and what was missed is fetched. Each
    event comes once and in order. Raises `EventGap` where events are lost for good; iterating goes on after it.
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
        """Connect, and return when the events come; ``with`` does it too.

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
        """Return the next event; None where none came within so many seconds, or the stream was closed.

        Raises: EventGap, and what ended the stream for good, such as AuthenticationError.
        """
        self.start()
        mailbox, until = self._mailbox, time.monotonic() + timeout
        while True:
            self._until(lambda: mailbox.pending or mailbox.closed, until - time.monotonic())
            event = self._take()  # none where another thread took it, or it is of no interest any more
            if event is not None or mailbox.closed or time.monotonic() >= until:
                return event

    def close(self) -> None:
        """Stop listening."""
        if self._started and self._mine:
            self._runner.stop()
        self._mailbox.close()
        self._began.set()  # whoever waits for the beginning need not any more

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
            event = self.wait(60.0)  # not for ever: so that Ctrl-C is heard on every platform
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
        """Connect, and return when the events come; ``async with`` does it too.

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
        """Return the next event; None where none came within so many seconds, or the stream was closed.

        Raises: EventGap, and what ended the stream for good, such as AuthenticationError.
        """
        await self.start()
        event: T_co | None = None
        with anyio.move_on_after(timeout):
            while (event := self._take()) is None and not self._mailbox.closed:
                await self._news.wait()
        return event

    async def close(self) -> None:
        """Stop listening; that is done also where it happens because the task is cancelled."""
        if self._started and self._mine:
            with anyio.CancelScope(shield=True):  # a runner never stops for long
                await self._runner.stop()
            self._began.set()
        self._mailbox.close()

    async def _until(self, condition: Callable[[], bool], timeout: float) -> bool:
        with anyio.move_on_after(timeout):
            while not condition():
                await self._news.wait()
        return condition()

    def _notify(self) -> None:
        told, self._news = self._news, anyio.Event()  # those who wait next time wait for the next news
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
