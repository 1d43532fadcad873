"""Calls that are made several at once: the outcomes come in order, and no more are under way than there are workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from crm_sdk.errors import RateLimitError

from ..failures import complain

T = TypeVar("T")
R = TypeVar("R")
_USUAL = 60.0
"""The seconds to wait for the quota where the server does not say."""


def in_order(work: Callable[[T], R], items: Iterable[T], jobs: int) -> Generator[tuple[T, R]]:
    """Yield each item with what the work on it returned, in their order; the items are read as they are needed.

    Where it ends early, what has begun is still finished, and nothing else is begun.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(jobs)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) >= jobs:
                yield waiting[0][0], waiting[0][1].result()
                waiting.popleft()
        while waiting:
            yield waiting[0][0], waiting[0][1].result()
            waiting.popleft()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Quota:
    """Waits where the server asks for it: all workers together, so that the quota is not asked for again and again."""

    def __init__(self) -> None:
        self._ended = Event()

    @contextmanager
    def ending(self) -> Generator[None]:
        """End all waiting when it is left."""
        try:
            yield
        finally:
            self._ended.set()

    def call(self, action: Callable[[], R]) -> R:
        """Return what an action returns, after the waits that the server asks for."""
        while True:
            try:
                return action()
            except RateLimitError as error:
                wait = error.retry_after if error.retry_after is not None else _USUAL
                if self._ended.is_set():
                    raise
                complain(f"the quota is used up: going on in {wait:.0f} s")
                if self._ended.wait(wait):
                    raise
