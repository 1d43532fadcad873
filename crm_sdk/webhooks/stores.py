"""Stores of processed deliveries, by which each is processed once: in memory, in a file, in Redis.

A receiver *claims* a delivery, processes it, and *finishes* the claim, or *releases* it where the handler failed. The
claim of a receiver that died ends with its lease.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, cast

from ..errors import ConfigurationError

Standing: TypeAlias = Literal["claimed", "running", "done"]
"""The result of a claim: the caller has it, another receiver is processing the delivery, or it was processed."""


class EventStore(Protocol):
    """The interface of a store. Every method is atomic and may be called from many threads and processes."""

    def claim(self, key: str, owner: str, lease: float) -> Standing:
        """Claim a delivery for so many seconds, unless it is claimed or done."""
        ...

    def finish(self, key: str, owner: str, keep: float) -> None:
        """Remember for so many seconds that it is done, also where the lease has ended meanwhile."""
        ...

    def release(self, key: str, owner: str) -> None:
        """Give a claim back, where it is still this owner's."""
        ...


class MemoryEventStore:
    """A store in the memory of one process."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[str | None, float]] = {}
        """By key: the owner of the claim, or None for a finished delivery; and until when the entry is kept."""
        self._swept = 0.0

    def claim(self, key: str, owner: str, lease: float) -> Standing:
        """Claim a delivery for so many seconds, unless it is claimed or done."""
        with self._lock:
            now = self._clock()
            holder, until = self._entries.get(key, (None, now))
            if until > now:
                return "running" if holder is not None else "done"
            self._entries[key] = owner, now + lease
            return "claimed"

    def finish(self, key: str, owner: str, keep: float) -> None:
        """Remember for so many seconds that it is done, also where the lease has ended meanwhile."""
        with self._lock:
            now = self._clock()
            self._entries[key] = None, now + keep
            if now >= self._swept + 60:
                self._swept = now
                self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > now}

    def release(self, key: str, owner: str) -> None:
        """Give a claim back, where it is still this owner's."""
        with self._lock:
            if self._entries.get(key, (None, 0.0))[0] == owner:
                del self._entries[key]


_TABLE = """\
CREATE TABLE IF NOT EXISTS webhook_delivery
    (key TEXT PRIMARY KEY, owner TEXT, until REAL NOT NULL) WITHOUT ROWID"""
_INDEX = "CREATE INDEX IF NOT EXISTS webhook_delivery_until ON webhook_delivery (until)"
_CLAIM = """\
INSERT INTO webhook_delivery VALUES (:key, :owner, :until)
    ON CONFLICT (key) DO UPDATE SET owner = :owner, until = :until WHERE until <= :now"""
_STANDING = "SELECT owner IS NULL FROM webhook_delivery WHERE key = :key"
_FINISH = "INSERT OR REPLACE INTO webhook_delivery VALUES (:key, NULL, :until)"
_SWEEP = "DELETE FROM webhook_delivery WHERE until <= :now"
_RELEASE = "DELETE FROM webhook_delivery WHERE key = :key AND owner = :owner"


class SqliteEventStore:
    """A store in a SQLite file, for the threads and processes of one machine.

    Raises: ConfigurationError when the file cannot be used.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, wait: float = 30.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._path, self._wait, self._clock = os.fspath(path), wait, clock
        self._lock = threading.Lock()
        self._process = 0
        self._db: sqlite3.Connection
        self._left_behind: list[sqlite3.Connection] = []
        try:
            with self._lock:
                self._connection()
        except sqlite3.Error as error:
            raise ConfigurationError(f"{self._path} cannot keep webhook deliveries: {error}") from None

    def claim(self, key: str, owner: str, lease: float) -> Standing:
        """Claim a delivery for so many seconds, unless it is claimed or done."""
        now = self._clock()
        with self._lock:
            db = self._connection()
            members = {"key": key, "owner": owner, "until": now + lease, "now": now}
            if db.execute(_CLAIM, members).rowcount > 0:
                return "claimed"
            found = db.execute(_STANDING, {"key": key}).fetchone()
        return "done" if found and found[0] else "running"

    def finish(self, key: str, owner: str, keep: float) -> None:
        """Remember for so many seconds that it is done, also where the lease has ended meanwhile."""
        now = self._clock()
        with self._lock:
            db = self._connection()
            db.execute(_FINISH, {"key": key, "until": now + keep})
            db.execute(_SWEEP, {"now": now})

    def release(self, key: str, owner: str) -> None:
        """Give a claim back, where it is still this owner's."""
        with self._lock:
            self._connection().execute(_RELEASE, {"key": key, "owner": owner})

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._process == os.getpid():
                self._process = 0
                self._db.close()

    def _connection(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            if self._process:
                # A forked child must neither use nor close the connection of its parent.
                self._left_behind.append(self._db)
                self._process = 0
            db = sqlite3.connect(self._path, timeout=self._wait, isolation_level=None, check_same_thread=False)
            try:
                for statement in ("PRAGMA journal_mode = WAL", _TABLE, _INDEX):
                    db.execute(statement)
            except BaseException:
                db.close()
                raise
            self._db, self._process = db, os.getpid()
        return self._db


_RELEASE_OWN = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_DONE = "done"


class RedisEventStore:
    """A store in Redis, for several machines; `redis` is a URL or a client (``pip install 'crm-sdk[redis]'``).

    Raises: ConfigurationError when the package is not installed, or the URL is not valid.
    """

    def __init__(self, redis: Any, *, prefix: str = "crm:webhook:") -> None:
        self._redis = _redis(redis) if isinstance(redis, str) else redis
        self._prefix = prefix

    def claim(self, key: str, owner: str, lease: float) -> Standing:
        """Claim a delivery for so many seconds, unless it is claimed or done."""
        name = self._prefix + key
        if self._redis.set(name, f"by {owner}", nx=True, px=_milliseconds(lease)):
            return "claimed"
        return "done" if self._redis.get(name) in (_DONE, _DONE.encode()) else "running"

    def finish(self, key: str, owner: str, keep: float) -> None:
        """Remember for so many seconds that it is done, also where the lease has ended meanwhile."""
        self._redis.set(self._prefix + key, _DONE, px=_milliseconds(keep))

    def release(self, key: str, owner: str) -> None:
        """Give a claim back, where it is still this owner's."""
        self._redis.eval(_RELEASE_OWN, 1, self._prefix + key, f"by {owner}")


def _redis(url: str) -> Any:
    try:
        from redis import Redis
    except ImportError:
        raise ConfigurationError("redis is not installed: pip install 'crm-sdk[redis]'") from None
    try:
        return cast(Any, Redis).from_url(url)
    except ValueError as error:
        raise ConfigurationError(f"this is not a URL of a Redis: {error}") from None


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
