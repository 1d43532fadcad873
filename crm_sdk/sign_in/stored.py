"""A session that outlives the process, and that several processes share: one renews it, the others take that over."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ConfigurationError, DeadlineExceededError
from ..exchange import Sleep
from .ways import SignIn

if TYPE_CHECKING:
    from ..client import Client
    from ..credentials import Credentials
    from ..exchange import Steps

_PAUSE = 0.05
"""How long a process waits before it tries again to get hold of a session that another one renews, in seconds."""


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """The tokens of a session, as they are stored."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


class TokenStore(Protocol):
    """Where the tokens of a session are kept between processes."""

    def load(self) -> StoredTokens | None:
        """Return the tokens; None where there are none."""
        ...

    def save(self, tokens: StoredTokens) -> None:
        """Keep the tokens in place of the former ones."""
        ...

    def clear(self) -> None:
        """Forget the tokens."""
        ...

    def try_lock(self) -> Any:
        """Return a lock with ``release()``, which one process holds at a time; None while another one has it."""
        ...


class FileStore:
    """Tokens in a file that only its owner can read. A keyring is safer: see `TokenStore` for a store of your own."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> StoredTokens | None:
        """Return the tokens; None where there is no file, or one of another kind."""
        try:
            return StoredTokens(**json.loads(self._path.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def save(self, tokens: StoredTokens) -> None:
        """Write the tokens: a reader sees either the former or the new ones."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(tokens), file)
        part.replace(self._path)

    def clear(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def try_lock(self) -> FileLock | None:
        """Return the lock of the file; None while another process has it."""
        return FileLock.try_acquire(self._path.with_name(f"{self._path.name}.lock"))

    def __repr__(self) -> str:
        return f"FileStore({str(self._path)!r})"


class FileLock:
    """A lock that one process holds at a time; the system takes it from one that ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def try_acquire(cls, path: Path) -> FileLock | None:
        """Return the lock of a file, which is created; None while another process has it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)  # which gives the lock back


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class StoredSession(SignIn):
    """A session in a store, begun in another way where the store has none; without `way` there must be one.

    Processes that share the store share the session: a refresh token works once, so one of them exchanges it while the
    others wait, and take what it got.
    """

    def __init__(self, way: SignIn | None, store: TokenStore) -> None:
        self._way = way
        self._store = store

    def renew(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Take the tokens from the store where they are newer, else renew them there."""
        until = client.clock.monotonic() + timeout
        while (lock := self._store.try_lock()) is None:
            if client.clock.monotonic() >= until:
                raise DeadlineExceededError("another process has been renewing the session for too long", sent=False)
            yield Sleep(_PAUSE)
        try:
            found = self._store.load()
            if found is not None and found.access_token != credentials.access:
                credentials.resume(found.access_token, found.refresh_token)
                return
            left = max(0.001, until - client.clock.monotonic())
            if self._way is not None:
                yield from self._way.renew(client, credentials, left)
            else:
                yield from super().renew(client, credentials, left)
        finally:
            lock.release()

    def begin(self, client: Client[Any], credentials: Credentials, timeout: float) -> Steps[None]:
        """Refuse: the store has no session, and nothing says how to begin one. Raises: ConfigurationError."""
        raise ConfigurationError("the store has no session that works: sign in first")
        yield  # a generator, as every way to begin a session is

    def keep(self, credentials: Credentials) -> None:
        """Store the tokens."""
        if credentials.access is not None:
            self._store.save(StoredTokens(credentials.access, credentials.refresh))

    def forget(self) -> None:
        """Clear the store."""
        self._store.clear()
