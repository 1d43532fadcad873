"""Write any number of records by a key: in chunks, several at once, with an outcome for every row, in order."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from ..errors import ApiError, CrmError

if TYPE_CHECKING:
    from ..client import Client

CHUNK = 1_000
"""The rows of a call."""


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of a row."""

    index: int
    """Its place in the rows, from 0."""
    status: Literal["ok", "failed", "unknown"]
    """``unknown`` where no answer came: the row may be written. Writing it again by the same key does no harm."""
    id: str | None = None
    outcome: str | None = None
    """``created``, ``updated``, ``unchanged`` or ``skipped``."""
    code: str | None = None
    """The error code of a row that failed."""
    message: str | None = None


class Upserts:
    """The outcomes of the rows, in order: iterate over them with ``for``, or ``async for`` with an async client.

    Nothing is written before that, and no more chunks than `workers` are written ahead of what has been read.
    """

    def __init__(
        self,
        client: Client[Any],
        entity: str,
        rows: Iterable[Mapping[str, Any]],
        options: Mapping[str, Any],
        *,
        workers: int,
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        self._client = client
        self._entity = entity
        self._rows = rows
        self._options = options
        self._workers = workers
        self._file = Path(checkpoint) if checkpoint is not None else None
        kept = self._file is not None and self._file.exists()
        known: Mapping[str, Any] = json.loads(self._file.read_text()) if self._file is not None and kept else {}
        self._run: str = known.get("run") or uuid4().hex
        self._done: int = known.get("rows", 0)

    def __iter__(self) -> Iterator[RowOutcome]:
        with ThreadPoolExecutor(self._workers) as pool:
            waiting: deque[tuple[int, Sequence[Any], Future[Any]]] = deque()
            try:
                for begin, chunk in self._chunks():
                    waiting.append((begin, chunk, pool.submit(self._send, begin, chunk)))
                    if len(waiting) >= self._workers:
                        yield from self._outcomes(*self._next(waiting))
                while waiting:
                    yield from self._outcomes(*self._next(waiting))
            finally:
                for _, _, future in waiting:
                    future.cancel()

    async def __aiter__(self) -> AsyncIterator[RowOutcome]:
        waiting: deque[tuple[int, Sequence[Any], asyncio.Task[Any]]] = deque()
        try:
            for begin, chunk in self._chunks():
                waiting.append((begin, chunk, asyncio.create_task(self._send_async(begin, chunk))))
                if len(waiting) >= self._workers:
                    for outcome in self._outcomes(*await self._next_async(waiting)):
                        yield outcome
            while waiting:
                for outcome in self._outcomes(*await self._next_async(waiting)):
                    yield outcome
        finally:
            for _, _, task in waiting:
                task.cancel()

    def _chunks(self) -> Iterator[tuple[int, Sequence[Any]]]:
        rows, begin = islice(iter(self._rows), self._done, None), self._done
        while chunk := list(islice(rows, CHUNK)):
            yield begin, chunk
            begin += len(chunk)

    def _client_with_key(self, begin: int) -> Client[Any]:
        """Return a view of the client with the idempotency key of a chunk: the same when it is sent again."""
        return self._client.with_options(idempotency_key=f"{self._run}-{begin}")

    def _send(self, begin: int, chunk: Sequence[Any]) -> Any:
        try:
            return self._client_with_key(begin).objects.upsert(self._entity, chunk, **self._options)
        except CrmError as error:
            return error

    async def _send_async(self, begin: int, chunk: Sequence[Any]) -> Any:
        try:
            return await self._client_with_key(begin).objects.upsert(self._entity, chunk, **self._options)
        except CrmError as error:
            return error

    def _next(self, waiting: deque[tuple[int, Sequence[Any], Future[Any]]]) -> tuple[int, Sequence[Any], Any]:
        begin, chunk, future = waiting[0]
        answer = future.result()
        waiting.popleft()
        return begin, chunk, answer

    async def _next_async(
        self, waiting: deque[tuple[int, Sequence[Any], asyncio.Task[Any]]]
    ) -> tuple[int, Sequence[Any], Any]:
        begin, chunk, task = waiting[0]
        answer = await task
        waiting.popleft()
        return begin, chunk, answer

    def _outcomes(self, begin: int, chunk: Sequence[Any], answer: Any) -> Iterator[RowOutcome]:
        """Yield the outcomes of a chunk; after them the checkpoint says that it is done."""
        if isinstance(answer, CrmError):
            refused = isinstance(answer, ApiError) and answer.status < 500
            for place in range(len(chunk)):
                code = answer.code if isinstance(answer, ApiError) else None
                yield RowOutcome(begin + place, "failed" if refused else "unknown", code=code, message=str(answer))
        else:
            for item in answer.items:
                error, result = item.error, item.result
                yield RowOutcome(
                    begin + item.index,
                    "failed" if error is not None else "ok",
                    item.id,
                    result.outcome if result is not None else None,
                    error.code if error is not None else None,
                    error.message if error is not None else None,
                )
        if self._file is not None:
            part = self._file.with_name(f"{self._file.name}.part")
            part.write_text(json.dumps({"run": self._run, "rows": begin + len(chunk)}))
            part.replace(self._file)
