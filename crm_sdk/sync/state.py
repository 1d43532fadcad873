"""What a copy is made of: its rows, its position, and what the two methods of a store are given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

ENTITIES = ("contact", "lead", "account", "deal", "activity")
"""The entities of a copy that names none."""

SyncKind: TypeAlias = Literal[
    "scanned", "created", "updated", "restored", "deleted", "merged", "purged", "erased", "access_gained",
    "access_lost", "missing",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A record of the copy."""

    entity: str
    id: str
    version: int
    record: Mapping[str, Any]
    """The record as JSON, with the names of the wire."""


@dataclass(frozen=True, slots=True)
class SyncChange:
    """A change that the store has: it is told after it was saved."""

    kind: SyncKind | str
    """``scanned`` for a record of a scan, ``missing`` for one that a new scan did not find any more, else the change of
    the feed."""
    entity: str
    id: str
    version: int | None = None
    record: Mapping[str, Any] | None = None
    """The record as JSON; None when it is gone."""
    changed_fields: Sequence[str] = ()
    merged_into: str | None = None
    """Id of the record that it was merged into."""

    @property
    def is_gone(self) -> bool:
        """Whether the copy no longer has the record."""
        return self.record is None


@dataclass(frozen=True, slots=True)
class SyncState:
    """The position of a copy: `to_json` and `from_json` keep it in a text."""

    entities: tuple[str, ...] = ()
    scanning: tuple[str, ...] = ()
    """The entities that are still to be scanned, the present one first."""
    after: str | None = None
    """The position in the present scan."""
    cursor: str | None = None
    """The position in the feed of changes."""
    generation: int = 1
    """The number of the scan: rows of an earlier one are removed at its end."""

    def to_json(self) -> str:
        """Return the state as a text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> SyncState:
        """Return the state of a text that `to_json` made."""
        said: Mapping[str, Any] = json.loads(text)
        members: dict[str, Any] = {
            **said,
            "entities": tuple(said["entities"]),
            "scanning": tuple(said["scanning"]),
        }
        return SyncState(**members)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a store saves at once, with the position after it."""

    state: SyncState
    rows: Sequence[Row] = ()
    """Records to keep, each unless the copy has a later version of it that was saved in the same generation."""
    gone: Sequence[tuple[str, str, int | None]] = field(default_factory=tuple[tuple[str, str, int | None], ...])
    """Entity, id and version of the records to remove, each unless the copy has a later version, as above."""
    finished: str | None = None
    """An entity whose scan has ended: its rows of an earlier generation than the state's are removed."""


class Store(Protocol):
    """Keeps a copy. Each call of `save` is one transaction: all of the batch is kept, or nothing."""

    def load(self) -> SyncState | None:
        """Return the state that was saved last; None before the first."""
        ...

    def save(self, batch: Batch) -> Sequence[tuple[str, str]]:
        """Keep a batch and its state; return entity and id of the rows that `finished` removed."""
        ...
