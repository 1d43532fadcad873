"""Duplicates: contacts that are the same person, and their merges."""

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
    """A member in which two contacts are alike."""

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
    """Contacts that are the same person, and the contact that would survive a merge."""

    survivor_id: str
    contact_ids: Annotated[list[str], Field(min_length=2)]
    score: int
    """0..100."""
    reasons: list[DuplicateReason] = Field(default_factory=EMPTY)


@with_config(INPUT)
class MergeGroup(TypedDict):
    """Contacts to merge, and the contact that survives."""

    survivor_id: str
    contact_ids: Annotated[list[str], Field(min_length=2)]


def _merge_group(value: object) -> object:
    """Turn a found group into a group to merge, which has no score and no reasons."""
    if isinstance(value, DuplicateGroup):
        return {"survivor_id": value.survivor_id, "contact_ids": value.contact_ids}
    if is_object(value) and "score" in value:
        return {name: member for name, member in value.items() if camel(name) in ("survivorId", "contactIds")}
    return value


MergeGroupInput: TypeAlias = Annotated[MergeGroup | DuplicateGroup, ReadAs(MergeGroup, before=_merge_group)]
"""Contacts to merge: a `DuplicateGroup` that was found, or a group of the caller's own."""


class ContactMerge(Model):
    """The result of merging one group of contacts."""

    contact: Contact
    """The surviving contact."""
    merged_ids: list[str]
    moved: MergeCounts
    """The numbers of records that were moved to the surviving contact."""


class DeduplicateResult(Model):
    """The groups of duplicates that were found, and the merges."""

    groups: list[DuplicateGroup] = Field(default_factory=EMPTY)
    """Contacts that are the same person, group by group."""
    merged: list[ContactMerge] = Field(default_factory=EMPTY)
    """The merges that were made."""
    scanned: int
    """The number of contacts that were compared."""
    dry_run: bool
