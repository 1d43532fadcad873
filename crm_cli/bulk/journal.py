"""The journal of an import: its rows, what is known of each, and how far it came, in a SQLite file.

It is what makes an import resumable: every chunk is committed whole, so a process that is killed at any moment leaves a
journal that says which chunks the server answered. A chunk that was sent and not answered is sent again with the same
rows and the same idempotency key, to which the server gives its first answer.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from crm_sdk.wire import decode_json, encode_json

from ..failures import MisuseError
from .sources import Raw

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS row (number INTEGER PRIMARY KEY, raw TEXT, sent TEXT, outcome TEXT, errors TEXT);
CREATE TABLE IF NOT EXISTS key (value TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outcomes ON row (outcome) WHERE outcome IN ('failed', 'invalid');
"""
_KEPT = 30 * 86_400
"""The seconds after which a journal is deleted."""

READY = "ready"
"""The outcome of a row that is to be sent."""
INVALID, FAILED = "invalid", "failed"
"""The outcome of a row that the check refused, and of one that the server refused when it was sent."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a row."""

    member: str
    rule: str
    message: str


@dataclass(slots=True)
class Entry:
    """A row, and what is known of it."""

    number: int
    """Its place in the file, from 1."""
    raw: Raw
    outcome: str
    sent: Mapping[str, Any] | None = None
    """The members that it gives its record."""
    errors: Sequence[Wrong] = ()


class Journal:
    """The journal of one import; close it at the end, or use it with ``with``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._db = sqlite3.connect(path, timeout=1, isolation_level=None)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing
            self._db.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" not in str(error):
                raise
            raise MisuseError("another process is importing this file: wait for its end") from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        self._db.close()

    # -- the state -----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``new``, ``checking``, ``sending`` or ``done``."""
        return self._about("state") or "new"

    @state.setter
    def state(self, value: str) -> None:
        self._say("state", value)

    @property
    def run(self) -> str:
        """What the idempotency keys of this import begin with."""
        return self._about("run") or ""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self._db.execute("SELECT max(number) FROM row").fetchone()[0] or 0)

    def begin(self) -> None:
        """Begin anew."""
        with self._transaction():
            for table in ("about", "row", "key"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 # one of ours
            self._say("run", uuid4().hex)
            self._say("state", "checking")

    def finish(self) -> None:
        """Keep only the counts, and the rows that failed."""
        with self._transaction():
            self._say("counts", _json(self.counts()) or "")
            self._say("state", "done")
            self._db.execute("DELETE FROM row WHERE outcome NOT IN (?, ?)", (INVALID, FAILED))
            self._db.execute("DELETE FROM key")
        self._db.execute("VACUUM")

    def discard(self) -> None:
        """Delete the journal."""
        self._db.close()
        for end in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def _about(self, name: str) -> str | None:
        found = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def _say(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)

    # -- rows ----------------------------------------------------------------------------------------------------------

    def add(self, entries: Iterable[Entry]) -> None:
        """Add rows that were checked."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO row VALUES (?, ?, ?, ?, ?)",
                (
                    (one.number, _json(one.raw), _json(one.sent), one.outcome, _json(_members(one.errors)))
                    for one in entries
                ),
            )

    def first_with(self, key: str, number: int) -> int:
        """Return the first row that has a key, which is this one where no other has."""
        self._db.execute("INSERT OR IGNORE INTO key VALUES (?, ?)", (key, number))
        return int(self._db.execute("SELECT number FROM key WHERE value = ?", (key,)).fetchone()[0])

    def chunks(self, size: int) -> Iterator[Sequence[Entry]]:
        """Yield the rows that are to be sent, in chunks; those of a chunk are the same in every run."""
        first, last = 1, self.rows
        while first <= last:
            found = self._db.execute(
                "SELECT number, sent FROM row WHERE number BETWEEN ? AND ? AND outcome = ? ORDER BY number",
                (first, first + size - 1, READY),
            ).fetchall()
            if found:
                yield [Entry(number, [], READY, _read(sent)) for number, sent in found]
            first += size

    def settle(self, outcomes: Iterable[tuple[int, str, Sequence[Wrong]]]) -> None:
        """Store what became of the rows of a chunk: all of it, or nothing where the process ends."""
        with self._transaction():
            self._db.executemany(
                "UPDATE row SET outcome = ?, errors = ? WHERE number = ?",
                ((outcome, _json(_members(errors)), number) for number, outcome, errors in outcomes),
            )

    def changing(self) -> int:
        """Return how many of the rows that are to be sent change a record that is there."""
        found = self._db.execute(
            "SELECT count(*) FROM row WHERE outcome = ? AND json_extract(sent, '$.id') IS NOT NULL", (READY,)
        )
        return int(found.fetchone()[0])

    def counts(self) -> Counter[str]:
        """Return how many rows have each outcome."""
        kept = self._about("counts")
        if kept is not None:
            return Counter(_read(kept))
        return Counter(dict(self._db.execute("SELECT outcome, count(*) FROM row GROUP BY outcome").fetchall()))

    def wrong(self) -> Iterator[Entry]:
        """Yield the rows that failed."""
        found = self._db.execute(
            "SELECT number, raw, outcome, errors FROM row WHERE outcome IN ('failed', 'invalid') ORDER BY number"
        )
        for number, raw, outcome, errors in found:
            yield Entry(number, _read(raw), outcome, None, [Wrong(*one) for one in _read(errors)])


class _Transaction:
    """A transaction of the journal."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *rest: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _json(value: Any) -> str | None:
    return None if value is None else encode_json(value).decode("utf-8", "surrogatepass")


def _read(text: str) -> Any:
    return decode_json(text.encode("utf-8", "surrogatepass"))


def _members(errors: Sequence[Wrong]) -> list[list[str]]:
    return [[one.member, one.rule, one.message] for one in errors]


def tidy(folder: Path) -> None:
    """Delete journals and copies of stdin that nobody came back to for a month."""
    oldest = time.time() - _KEPT
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
