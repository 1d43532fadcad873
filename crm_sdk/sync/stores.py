"""Stores of copies: in memory, in a SQLite file, in any database with a DB-API driver."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from .state import Batch, Row, SyncState


class MemoryStore:
    """A copy in memory; it is lost with the process."""

    def __init__(self) -> None:
        self.state: SyncState | None = None
        self.rows: dict[tuple[str, str], Row] = {}
        self._generations: dict[tuple[str, str], int] = {}

    def load(self) -> SyncState | None:
        """Return the state that was saved last; None before the first."""
        return self.state

    def save(self, batch: Batch) -> Sequence[tuple[str, str]]:
        """Keep a batch and its state; return entity and id of the rows that `finished` removed."""
        for row in batch.rows:
            key = (row.entity, row.id)
            if not self._is_later(key, row.version, batch):
                self.rows[key] = row
            self._generations[key] = batch.state.generation
        for entity, id, version in batch.gone:
            if (entity, id) in self.rows and not self._is_later((entity, id), version, batch):
                self._drop((entity, id))
        stale = [
            key
            for key, generation in self._generations.items()
            if key[0] == batch.finished and generation < batch.state.generation
        ]
        for key in stale:
            self._drop(key)
        self.state = batch.state
        return stale

    def _is_later(self, key: tuple[str, str], version: int | None, batch: Batch) -> bool:
        """Return whether the copy has a later version of a record; one of an earlier scan says nothing."""
        held = self.rows.get(key)
        same_scan = self._generations.get(key) == batch.state.generation
        return held is not None and same_scan and version is not None and held.version > version

    def _drop(self, key: tuple[str, str]) -> None:
        del self.rows[key], self._generations[key]

    def records(self, entity: str) -> dict[str, Mapping[str, Any]]:
        """Return the records of an entity by their ids."""
        return {id: row.record for (kind, id), row in self.rows.items() if kind == entity}


class DatabaseStore:
    """A copy in a database: the table ``crm_records`` has the records as JSON, ``crm_sync`` the position.

    `connection` is one of a DB-API driver, `mark` the placeholder of its parameters (``?``, ``%s``). The store commits
    on it.
    """

    def __init__(self, connection: Any, *, mark: str = "?") -> None:
        self._connection = connection
        self._mark = mark
        cursor = connection.cursor()
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS crm_records (entity VARCHAR(100) NOT NULL, id VARCHAR(100) NOT NULL, "
            "version INTEGER NOT NULL, generation INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (entity, id))"
        )
        cursor.execute("CREATE TABLE IF NOT EXISTS crm_sync (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")
        connection.commit()

    def load(self) -> SyncState | None:
        """Return the state that was saved last; None before the first."""
        row = self._execute("SELECT state FROM crm_sync WHERE id = 1").fetchone()
        return SyncState.from_json(row[0]) if row is not None else None

    def save(self, batch: Batch) -> Sequence[tuple[str, str]]:
        """Keep a batch and its state; return entity and id of the rows that `finished` removed."""
        self._begin()
        try:
            removed = self._save(batch)
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()
        return removed

    def _begin(self) -> None:
        """Begin the transaction of a batch; a DB-API connection has begun one by itself."""

    def _save(self, batch: Batch) -> list[tuple[str, str]]:
        generation = batch.state.generation
        for row in batch.rows:
            if self._is_later(row.entity, row.id, row.version, generation):
                continue
            self._execute("DELETE FROM crm_records WHERE entity = ? AND id = ?", row.entity, row.id)
            text = json.dumps(row.record, ensure_ascii=False)
            self._execute(
                "INSERT INTO crm_records (entity, id, version, generation, record) VALUES (?, ?, ?, ?, ?)",
                row.entity, row.id, row.version, generation, text,
            )  # fmt: skip
        for entity, id, version in batch.gone:
            if not self._is_later(entity, id, version, generation):
                self._execute("DELETE FROM crm_records WHERE entity = ? AND id = ?", entity, id)
        stale: list[tuple[str, str]] = []
        if batch.finished is not None:
            where = "FROM crm_records WHERE entity = ? AND generation < ?"
            found = self._execute("SELECT entity, id " + where, batch.finished, generation).fetchall()
            stale = [(entity, id) for entity, id in found]
            self._execute("DELETE " + where, batch.finished, generation)
        self._execute("DELETE FROM crm_sync WHERE id = 1")
        self._execute("INSERT INTO crm_sync (id, state) VALUES (1, ?)", batch.state.to_json())
        return stale

    def _is_later(self, entity: str, id: str, version: int | None, generation: int) -> bool:
        """Return whether the copy has a later version of a record; one of an earlier scan says nothing."""
        if version is None:
            return False
        held = "SELECT 1 FROM crm_records WHERE entity = ? AND id = ? AND generation = ? AND version > ?"
        return self._execute(held, entity, id, generation, version).fetchone() is not None

    def _execute(self, statement: str, *values: Any) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(statement.replace("?", self._mark), values)
        return cursor

    def records(self, entity: str) -> dict[str, Mapping[str, Any]]:
        """Return the records of an entity by their ids."""
        return dict(self._records(entity))

    def _records(self, entity: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        found = self._execute("SELECT id, record FROM crm_records WHERE entity = ?", entity)
        for id, text in iter(found.fetchone, None):
            yield id, json.loads(text)


class _FileStore(DatabaseStore):
    """A copy in a file that it has opened itself, to be closed at the end."""

    def __init__(self, connection: Any) -> None:
        try:
            super().__init__(connection)
        except BaseException:  # nobody else could close it
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class SqliteStore(_FileStore):
    """A copy in a SQLite file, which survives the process, whenever that ends."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        place = Path(path) if str(path) != ":memory:" else ":memory:"
        super().__init__(sqlite3.connect(place, check_same_thread=False))


class DuckDbStore(_FileStore):
    """A copy in a DuckDB file, to be asked with SQL: ``record ->> '$.stage'``. Needs the package ``duckdb``.

    Raises: ImportError without it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import duckdb  # here: only who wants such a copy needs it

        self.connection: Any = duckdb.connect(str(path))
        """The connection, on which queries of one's own can be made."""
        super().__init__(_Begun(self.connection))

    def _begin(self) -> None:
        self.connection.begin()


class _Begun:
    """A DuckDB connection whose cursors are within its transaction: those of DuckDB have one of their own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.commit = connection.commit
        self.rollback = connection.rollback
        self.close = connection.close

    def cursor(self) -> Any:
        return self._connection
