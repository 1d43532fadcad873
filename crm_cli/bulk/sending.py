"""The sending of an import: the rows of the journal in chunks, each with an idempotency key of its own.

A row that changes a record names it by its id, as the check found it; a new record is written by its key, so that it is
not made twice whoever else writes; one without a key is made in a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from crm_sdk.errors import FieldError, ValidationError

from .journal import FAILED, Entry, Journal, Wrong
from .mapping import Mapped
from .progress import Advance
from .working import Quota, in_order

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import RecordOperation

CHUNK = 1_000
"""The most rows of a call."""
_TRANSACTION = 25
"""The most records of a transaction."""
_PLACE = re.compile(r"operations[.\[](\d+)\]?\.?(?:values\.)?(.*)")

Outcome: TypeAlias = tuple[int, str, Sequence[Wrong]]
"""The number of a row, what became of it, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sending:
    """The sending of the rows of a journal."""

    client: CrmClient
    mapped: Mapped
    mode: str
    on_match: str
    quota: Quota
    run: str

    def from_(self, journal: Journal, size: int, jobs: int, advance: Advance) -> None:
        """Send the rows that are ready; the journal knows after each chunk what became of its rows."""
        for rows, outcomes in in_order(self._send, journal.chunks(size), jobs):
            journal.settle(outcomes)
            advance(len(rows))

    def _send(self, chunk: Sequence[Entry]) -> list[Outcome]:
        keyed = [entry for entry in chunk if self._has_key(entry)]
        new = [entry for entry in chunk if not self._has_key(entry)]
        outcomes = list(self._upsert(keyed)) if keyed else []
        for first in range(0, len(new), _TRANSACTION):
            outcomes += self._create(new[first : first + _TRANSACTION])
        return outcomes

    def _has_key(self, entry: Entry) -> bool:
        has_id = entry.sent is not None and entry.sent.get("id") is not None
        return has_id or self.mapped.key_in(entry.sent) not in (None, "")

    def _client_with_key(self, *words: object) -> CrmClient:
        """Return a view of the client with an idempotency key: the same where the rows are sent again."""
        return self.client.with_options(idempotency_key="-".join(map(str, (self.run, *words))))

    def _upsert(self, entries: Sequence[Entry]) -> Iterator[Outcome]:
        options: Any = {"match_on": self.mapped.key, "mode": self.mode, "on_match": self.on_match}
        client = self._client_with_key(entries[0].number)
        rows = [entry.sent or {} for entry in entries]
        answer = self.quota.call(lambda: client.objects.upsert(self.mapped.entity.entity, rows, **options))
        for entry, item in zip(entries, answer.items, strict=True):
            if item.error is not None:
                error = item.error
                yield entry.number, FAILED, [Wrong(error.field or "", error.rule or error.code, error.message)]
            else:
                yield entry.number, item.result.outcome if item.result is not None else "updated", ()

    def _create(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Make records in one transaction; where rows of it fail, the others once more without them."""
        operations: list[RecordOperation] = [
            {"action": "create", "entity": self.mapped.entity.entity, "values": dict(entry.sent or {})}
            for entry in entries
        ]
        client = self._client_with_key("new", *(entry.number for entry in entries[:1]), len(entries))
        try:
            self.quota.call(lambda: client.objects.transaction(operations))
        except ValidationError as error:
            wrong = _by_place(error.fields)
            if not wrong:
                raise
            left = [entry for place, entry in enumerate(entries) if place not in wrong]
            failed = [(entries[place].number, FAILED, found) for place, found in wrong.items()]
            return [*failed, *(self._create(left) if left else [])]
        return [(entry.number, "created", ()) for entry in entries]


def _by_place(fields: Sequence[FieldError]) -> dict[int, list[Wrong]]:
    """Return what is wrong with each operation of a transaction."""
    found: dict[int, list[Wrong]] = {}
    for field in fields:
        match = _PLACE.fullmatch(field.field)
        if match is not None:
            found.setdefault(int(match[1]), []).append(Wrong(match[2], field.rule or "", field.message))
    return found
