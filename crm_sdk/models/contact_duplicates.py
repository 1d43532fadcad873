"""Duplicates: contacts that are the same person, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ..wire import camel, is_object
from .contacts import Contact
from .marks import INPUT, ReadAs
from .record import Model
from .values import EMPTY, MergeCounts

DeduplicateMode: TypeAlias = Literal["find", "merge"] | str
DuplicateField: TypeAlias = Literal["email", "phone", "name"] | str
SurvivorRule: TypeAlias = Literal["most_complete", "oldest", "newest"] | str


class DuplicateReason(Model):
    """What two contacts have in common."""

    field: DuplicateField
    similarity: float
    """0..1."""
    values: list[str] = Field(default_factory=EMPTY)


class DuplicateMatch(Model):
    """A contact that may be the same person."""

    contact_id: str
    score: int
    """0..100."""
    reasons: list[DuplicateReason] = Field(default_factory=EMPTY)


class DuplicateGroup(Model):
    """Contacts that are the same person, and the one that would survive a merge."""

    survivor_id: str
    contact_ids: Annotated[list[str], Field(min_length=2)]
    score: int
    """0..100."""
    reasons: list[DuplicateReason] = Field(default_factory=EMPTY)


@with_config(INPUT)
class MergeGroup(TypedDict):
    """Contacts to merge, and the one that survives."""

    survivor_id: str
    contact_ids: Annotated[list[str], Field(min_length=2)]


def _merge_group(value: object) -> object:
    """Read a group that was found as one to merge: why it was found is left out."""
    if isinstance(value, DuplicateGroup):
        return {"survivor_id": value.survivor_id, "contact_ids": value.contact_ids}
    if is_object(value) and "score" in value:
        return {name: member for name, member in value.items() if camel(name) in ("survivorId", "contactIds")}
    return value


MergeGroupInput: TypeAlias = Annotated[MergeGroup | DuplicateGroup, ReadAs(MergeGroup, before=_merge_group)]
"""Contacts to merge: a group that was found, as it is, or one of the caller's own."""


class ContactMerge(Model):
    """A contact that others were merged into."""

    contact: Contact
    """The contact that stays."""
    merged_ids: list[str]
    moved: MergeCounts
    """How many records became the surviving contact's."""


class DeduplicateResult(Model):
    """What was found, and what was merged."""

    groups: list[DuplicateGroup] = Field(default_factory=EMPTY)
    """Contacts that are the same person, group by group."""
    merged: list[ContactMerge] = Field(default_factory=EMPTY)
    """What was merged."""
    scanned: int
    """How many contacts were compared."""
    dry_run: bool
