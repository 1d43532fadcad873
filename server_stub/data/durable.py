"""The state of the stub in a SQLite file; an answered request is never lost, even if the process is killed."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .collection import Change
from .document import Document
from .store import Store

FORMAT = 1
_APPLICATION = 0x43524D53  # SQLite's application_id of our files: "CRMS"

_MAGIC = b"SQLite format 3\0"

_SCHEMA = """
CREATE TABLE document (
    tenant_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class StateFileError(Exception):
    """The state file cannot be used; it was not changed."""


class StateFileInUse(StateFileError):  # noqa: N818 # the name of a state of the file
    """Another process uses the state file."""


class Durable:
    """A state file, locked by this process until it is closed."""

    def __init__(self, path: str | os.PathLike[str], *, wait: float = 5.0) -> None:
        """Open or create a state file; wait up to `wait` seconds for another process to close it."""
        self.path = Path(path)
        self.new = False
        self._saved: dict[str, str] = {}
        self._inspect()
        try:
            if not self.path.exists():
                self.path.touch(0o600)  # nobody else may read it; SQLite gives its own files the same rights
            # Several threads use the connection, one at a time: the core has a lock.
            self._db = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        except (sqlite3.OperationalError, OSError) as error:
            raise StateFileError(f"{self.path} cannot be opened: {error}") from None
        try:
            self._lock(wait)
            self._open()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StateFileError(
                f"{self.path} is not a state file of the stub ({error}); it was left as it is"
            ) from None
        except BaseException:
            self._db.close()
            raise

    def _inspect(self) -> None:
        """Raise an error for other files; SQLite would treat a very short file as empty and overwrite it."""
        try:
            with self.path.open("rb") as file:
                head = file.read(len(_MAGIC))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateFileError(f"{self.path} cannot be opened: {error.strerror}") from None
        if head not in (b"", _MAGIC):
            raise StateFileError(f"{self.path} is not a state file of the stub; it was left as it is")

    def _lock(self, wait: float) -> None:
        """Lock the file until the connection is closed or the process ends, in whatever way."""
        deadline = time.monotonic() + wait
        # Exclusive mode keeps the lock of a write, and needs no shared memory file beside the WAL.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        while True:
            try:
                self._db.execute("BEGIN EXCLUSIVE")
                self._db.execute("COMMIT")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                if time.monotonic() >= deadline:
                    raise StateFileInUse(
                        f"{self.path} is in use by another process (waited {wait:g} s); stop it or use another file"
                    ) from None
                time.sleep(0.02)

    def _open(self) -> None:
        application = self._one("PRAGMA application_id")
        version = self._one("PRAGMA user_version")
        tables = self._one("SELECT count(*) FROM sqlite_master")
        if application == 0 and version == 0 and tables == 0:
            self.new = True
        elif application != _APPLICATION:
            raise StateFileError(f"{self.path} is a SQLite file of another program; it was left as it is")
        elif version > FORMAT:
            raise StateFileError(
                f"{self.path} has format {version}, this version reads up to {FORMAT}; update, or use another file"
            )
        self._db.execute("PRAGMA journal_mode = WAL")
        # With NORMAL a killed process loses nothing: committed data are with the operating system.
        self._db.execute("PRAGMA synchronous = NORMAL")
        if self.new:
            self._db.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {FORMAT}; COMMIT;"
            )
        self._saved = dict(self._db.execute("SELECT name, value FROM meta"))
        _ = self.meta  # an unreadable file raises an error here, while it can still be closed

    def _one(self, statement: str) -> int:
        row: tuple[int] = self._db.execute(statement).fetchone()
        return row[0]

    def load(self, store: Store) -> bool:
        """Load the documents and id counters into a store; return False where nothing was ever saved."""
        if not self._saved:
            return False
        pairs: list[tuple[str, str]] = self._db.execute("SELECT DISTINCT tenant_id, kind FROM document").fetchall()
        store.load({pair: partial(self._documents, *pair) for pair in pairs})
        store.counters = self.meta.get("counters", {})
        return True

    def _documents(self, tenant_id: str, kind: str) -> Iterator[Change]:
        rows = self._db.execute(
            "SELECT id, body, sequence FROM document WHERE tenant_id = ? AND kind = ? ORDER BY sequence",
            (tenant_id, kind),
        )
        for id, body, sequence in rows.fetchall():
            yield Change(tenant_id, kind, id, Document(self._parse(body)), sequence)

    @property
    def meta(self) -> dict[str, Any]:
        """The state that was last saved beside the documents."""
        return {name: self._parse(value) for name, value in self._saved.items()}

    def _parse(self, text: str) -> Any:
        try:
            return _DECODER.decode(text)
        except ValueError as error:
            raise StateFileError(f"{self.path} cannot be read: {error}") from None

    def save(self, changes: Iterable[Change], meta: Mapping[str, Any]) -> None:
        """Save the changes of a call in one transaction; `meta` has the store's ``counters`` and other state.

        Values of `meta` that did not change are not written.
        """
        puts: list[tuple[str, str, str, int, str]] = []
        removes: list[tuple[str, str, str]] = []
        for change in changes:
            if change.document is None:
                removes.append(change[:3])
            else:
                puts.append((change.tenant_id, change.kind, change.id, change.sequence, _write(change.document)))
        values = {name: _write(value) for name, value in meta.items()}
        fresh = [(name, value) for name, value in values.items() if self._saved.get(name) != value]
        if not (puts or removes or fresh):
            return
        self._db.execute("BEGIN")
        try:
            self._db.executemany("DELETE FROM document WHERE tenant_id = ? AND kind = ? AND id = ?", removes)
            self._db.executemany(
                "INSERT OR REPLACE INTO document (tenant_id, kind, id, sequence, body) VALUES (?, ?, ?, ?, ?)", puts
            )
            self._db.executemany("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", fresh)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._saved.update(fresh)

    def compact(self) -> None:
        """Write the file anew: what was removed or replaced is then nowhere in it, nor in the log beside it."""
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def can_write(self) -> bool:
        """Return whether the file can be written now."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', '0')")
            self._db.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return True

    def close(self) -> None:
        """Close the file and release its lock."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_TAG = "\u0000"  # the key of an object that stands for a value without a JSON type; no member has this name


def _tag_value(value: object) -> object:
    if isinstance(value, datetime):
        return {_TAG: "datetime", "v": value.isoformat()}
    if isinstance(value, date):
        return {_TAG: "date", "v": value.isoformat()}
    if isinstance(value, Decimal):
        return {_TAG: "decimal", "v": str(value)}
    if isinstance(value, bytes):
        return {_TAG: "bytes", "v": value.hex()}
    raise TypeError(f"a {type(value).__name__} cannot be kept in a state file: {value!r}")


def _untag_value(members: dict[str, Any]) -> Any:
    match members.get(_TAG):
        case None:
            return members
        case "datetime":
            return datetime.fromisoformat(members["v"])
        case "date":
            return date.fromisoformat(members["v"])
        case "decimal":
            return Decimal(members["v"])
        case "bytes":
            return bytes.fromhex(members["v"])
        case other:
            raise ValueError(f"it holds a value of the unknown type {other!r}")


_ENCODER = json.JSONEncoder(default=_tag_value, separators=(",", ":"))
_DECODER = json.JSONDecoder(object_hook=_untag_value)


def _write(value: object) -> str:
    return _ENCODER.encode(value)
