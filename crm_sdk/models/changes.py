"""The feed of changes: what became different, in the order of the commits, for copies that must not lose a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .any_records import AnyRecord
from .continued import Continued
from .record import Model
from .values import EMPTY, EntityRef, FieldChange

ChangeKind: TypeAlias = (
    Literal[
        "created", "updated", "restored", "deleted", "merged", "purged", "erased", "access_gained", "access_lost",
    ]
    | str
)  # fmt: skip
ChangeStart: TypeAlias = Literal["oldest", "now"]
ChangeInclude: TypeAlias = Literal["changes"]
ChangeLimit: TypeAlias = Annotated[int, Field(ge=0, le=200)]

GONE = frozenset({"deleted", "merged", "purged", "erased", "access_lost"})
"""The changes after which a copy no longer has the record."""


class Change(Model):
    """A change of a record."""

    seq: int
    """The number of the change, in the order of the commits."""
    occurred_at: AwareDatetime | None = None
    """When it was made."""
    entity: EntityRef
    """The record."""
    change: ChangeKind
    """What happened to it."""
    version: int | None = None
    """The version that it made."""
    changed_fields: list[str] = Field(default_factory=EMPTY)
    """The names of the fields that differ."""
    changes: list[FieldChange] | None = None
    """The values before and after, where they are to be included."""
    record: AnyRecord | None = None
    """The record as it is now; null when it is gone."""
    merged_into: str | None = None
    """Id of the record that it was merged into."""
    actor: str | None = None
    """Who did it: the id of a user, of an API key or of an app, or `system`."""
    event: str | None = None
    """The event that was published: `contact.updated`."""

    @property
    def is_gone(self) -> bool:
        """Whether a copy no longer has the record."""
        return self.change in GONE


class ChangePage(Continued[Change]):
    """Changes by their numbers, and the position after them. Iterating goes on as long as there are more."""

    items: list[Change]
    cursor: str
    """The position after these changes: keep it once they are stored."""
    has_more: bool = False
    """Whether there are more changes now."""
    oldest: AwareDatetime | None = None
    """The earliest time whose changes are still kept."""

    def following(self) -> Mapping[str, Any] | None:
        """Return the argument of the call for the next part; None where there are no more changes now."""
        return {"cursor": self.cursor} if self.has_more else None
