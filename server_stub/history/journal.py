"""The journal of requests and answers, for tests."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

_SECRET = re.compile(r"token|password|secret|code|api_?key|authorization", re.IGNORECASE)


def _without_secrets(query: str) -> str:
    """Return a query with ``***`` for the values of parameters that are called like secrets."""
    if _SECRET.search(query) is None:
        return query
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        f"{name}{sign}***" if sign and _SECRET.search(name) else name + sign + value for name, sign, value in pairs
    )


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request and its answer, without credentials and bodies."""

    at: datetime
    dialect: str
    method: str
    path: str
    query: str
    operation: str | None
    """The operation, such as ``leads.create``; None where no route matched."""
    tenant_id: str | None
    status: int
    request_id: str
    idempotency_key: str | None = None
    duration_us: int | None = None
    user_id: str | None = None
    """The user who made the request; None where it was not a user."""


_Row = tuple[datetime, str, str, str, str, str | None, str | None, int, str, str | None, int | None, str | None]


class Journal:
    """The latest requests, oldest first."""

    __slots__ = ("_rows",)

    def __init__(self, size: int = 10_000) -> None:
        self._rows: deque[_Row] = deque(maxlen=size)

    def record(
        self,
        at: datetime,
        dialect: str,
        method: str,
        path: str,
        query: str,
        operation: str | None,
        tenant_id: str | None,
        status: int,
        request_id: str,
        idempotency_key: str | None = None,
        duration_us: int | None = None,
        user_id: str | None = None,
    ) -> None:
        """Add a request; the values of secrets in its query are removed."""
        if query:
            query = _without_secrets(query)
        # A bare tuple: this runs in every call, and an entry is only made when someone looks.
        self._rows.append(
            (
                at, dialect, method, path, query, operation, tenant_id, status, request_id, idempotency_key,
                duration_us, user_id,
            )
        )  # fmt: skip

    def find(
        self,
        *,
        operation: str | None = None,
        status: int | None = None,
        method: str | None = None,
        path: str | None = None,
        dialect: str | None = None,
    ) -> list[JournalEntry]:
        """Return the entries that match all given arguments."""
        return [
            entry
            for entry in self
            if (operation is None or entry.operation == operation)
            and (status is None or entry.status == status)
            and (method is None or entry.method == method.upper())
            and (path is None or entry.path == path)
            and (dialect is None or entry.dialect == dialect)
        ]

    def since(self, at: datetime) -> Iterator[JournalEntry]:
        """Yield the entries at or after a time, newest first."""
        for row in reversed(list(self._rows)):
            if row[0] < at:
                return
            yield JournalEntry(*row)

    def replace_texts(self, without: Callable[[str], str]) -> None:
        """Change the paths and the queries of all entries, such as to take a person out of them."""
        rows = ((*row[:3], without(row[3]), without(row[4]), *row[5:]) for row in self._rows)
        self._rows = deque(rows, maxlen=self._rows.maxlen)

    def clear(self) -> None:
        """Remove all entries."""
        self._rows.clear()

    def __iter__(self) -> Iterator[JournalEntry]:
        return (JournalEntry(*row) for row in list(self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> JournalEntry:
        return JournalEntry(*self._rows[index])

    def snapshot(self) -> tuple[_Row, ...]:
        """Return the present state, for `restore`."""
        return tuple(self._rows)

    def restore(self, rows: tuple[_Row, ...]) -> None:
        """Go back to a snapshot."""
        self._rows = deque(rows, maxlen=self._rows.maxlen)
