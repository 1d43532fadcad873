"""What a backup can have: the collections of a company's records, by what they belong to.

What is not here is not in an archive, and no restore touches it: credentials and sessions, connections with other
systems, shares, notifications, jobs and runs, bills, logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..data.document import Document
from ..request.settings import id_of
from ..serving import Collections, Members

INCLUDES = ("data", "files", "configuration", "users", "audit")
USUAL = ("data", "files", "configuration")
COMPANY = "company"
"""The part with the settings of the company itself, which are in its record."""
DELETED = "deleted"
"""The part with the records that are deleted and can be restored, or were merged into others."""
OBJECT_RECORDS = "record"
"""The collection of the records of custom objects, of which each has a part of its own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection whose records an archive has."""

    name: str
    include: str
    of: str
    """The entity that its records belong to: its own name, or that of the record they tell of."""

    @property
    def is_part(self) -> bool:
        """Whether its records are parts of others."""
        return self.of != self.name


# By what they belong to, in the order in which they are restored: what others refer to comes first.
_TABLE: Mapping[str, str] = {
    "users": "role team user: notification_preferences picture",
    "configuration": "custom_object: field object_relationship | pipeline: stage rule | template | flag | layout | "
    "setting | retention_policy | lead_scoring | agent | report: schedule | dashboard | "
    "workflow: trigger action workflow_enrollment",
    "data": "territory | account | contact: relationship | lead: lead_score lead_capture | "
    "deal: stage_change deal_state | activity | record | conversation: message | comment: user_mention | keyword | "
    "alert | mention | social_post | engagement | subscription",
    "files": "file: file_version",
    "audit": "audit",
}


def _read() -> Iterator[Kind]:
    for include, text in _TABLE.items():
        for group in text.split("|"):
            heads, _, parts = group.partition(":")
            names = heads.split()
            yield from (Kind(name, include, name) for name in names)
            yield from (Kind(name, include, names[-1]) for name in parts.split())


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _read()}
"""The collections by their names, in the order in which they are restored."""
COMPANY_MEMBERS = (
    "country", "timezone", "locale", "languages", "base_currency", "currencies", "date_format", "time_format",
    "week_start", "fiscal_year_start_month", "business_hours", "branding", "email", "lead_assignment",
    "default_pipeline_id", "duplicate_policy", "config",
)  # fmt: skip
"""The members of the company's record that are settings; its name, plan, security and limits are not."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an archive has, or what of it is restored."""

    include: Sequence[str]
    entity_types: Sequence[str] | None = None
    """The only entities; None for all."""

    def kinds(self) -> Iterator[Kind]:
        """Yield the collections that are in it, wholly or in part."""
        for kind in KINDS.values():
            own = self.entity_types is None or kind.of in self.entity_types or kind.name == OBJECT_RECORDS
            if kind.include in self.include and own:
                yield kind

    def entities(self) -> Iterator[str]:
        """Yield the names of the entities that are in it, whether there are records of them or not."""
        yield from self.entity_types or ()
        if self.entity_types is None:
            yield from (kind.name for kind in self.kinds() if not kind.is_part and kind.name != OBJECT_RECORDS)

    def has(self, kind: Kind, doc: Members) -> bool:
        """Return whether it has a record of one of its collections."""
        if kind.name == OBJECT_RECORDS and self.entity_types is not None:
            return doc["object"] in self.entity_types
        return not is_kept(kind.name, doc)

    @property
    def has_company(self) -> bool:
        """Whether it has the settings of the company itself."""
        return "configuration" in self.include and (self.entity_types is None or COMPANY in self.entity_types)


def is_kept(kind: str, doc: Members) -> bool:
    """Return whether a record is in no archive, and stays as it is: an archive itself, a secret value."""
    about: Members = doc.get("related_to") or {}
    return (kind == "file" and about.get("type") == "backup") or (kind == "setting" and bool(doc["secret"]))


def away(kind: str, doc: Document) -> Document:
    """Return a record as an archive has it, without the id of its company."""
    if kind == "user":
        return doc | {"tenant_id": ""}
    if kind == "setting" and doc["scope"] == "tenant":
        return doc | {"id": id_of("tenant", "", doc["key"]), "scope_id": ""}
    return doc


def at_home(kind: str, doc: Document, tenant_id: str) -> Document:
    """Return a record of an archive as one of a company's."""
    if kind == "user":
        return doc | {"tenant_id": tenant_id}
    if kind == "setting" and doc["scope"] == "tenant":
        return doc | {"id": id_of("tenant", tenant_id, doc["key"]), "scope_id": tenant_id}
    return doc


def name_of(kind: str, doc: Members) -> str:
    """Return the name of the part that a record is in."""
    return str(doc["object"]) if kind == OBJECT_RECORDS else kind


def records_of(collections: Collections, kind: Kind, scope: Scope) -> Iterator[Document]:
    """Yield the records of a collection that are in a scope, deleted ones too, in their order."""
    docs: Iterable[Document] = collections(kind.name).table.in_order().values()
    if kind.name == "file_version":
        files = collections("file")
        for doc in docs:
            file = files.get(doc["file_id"], deleted=True)
            if file is not None and not is_kept("file", file):
                yield doc
        return
    yield from (doc for doc in docs if scope.has(kind, doc))


def known_entities(collections: Collections) -> list[str]:
    """Return the names that `entity_types` may have."""
    own = [str(doc["api_name"]) for doc in collections("custom_object")]
    fixed = [kind.name for kind in KINDS.values() if not kind.is_part and kind.name != OBJECT_RECORDS]
    return [*fixed, COMPANY, *own]
