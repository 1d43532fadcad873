"""The kinds of records that are searched: their records, members, names, and who may find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from crm_sdk.models.messages import Message
from crm_sdk.models.users import User
from crm_sdk.models.values import EntityType
from crm_sdk.reading import choices_of

from ...data.document import Document
from ...data.queries.field_types import fields_of
from ...data.queries.query import member
from ...data.queries.words import texts_at
from ...problems import Problem, invalid
from ...request.access import permissions
from ...request.access.features import is_on
from ...serving import Context
from ..activities.privacy import is_hidden
from ..activities.records import as_it_is
from ..conversations.state import shown_message
from ..custom_objects.records import searched_in
from ..reports.sources import Source, seen_source, source_of

Step = tuple[str, str]
"""A member with an id, and the kind of the record that has it."""
_ANY_TYPE = frozenset(choices_of(get_args(EntityType)[0]))


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the records of a kind are searched by default."""

    fields: Mapping[str, float]
    """The members with their weights."""
    facets: Sequence[str] = ()
    """The members whose values are counted."""
    title: Sequence[str] = ("name",)
    subtitle: Sequence[str] = ()


_PERSON = {"name": 5, "email": 3, "company": 3, "phone": 2, "title": 2, "tags": 2}
PLANS: Mapping[str, _Plan] = {
    "contact": _Plan(
        {**_PERSON, "account.name": 2, "address.city": 1, "notes": 1},
        ("status", "lifecycle_stage", "source", "owner_id", "tags"),
        subtitle=("title", "company"),
    ),
    "lead": _Plan(
        {**_PERSON, "industry": 1, "campaign": 1, "source_detail": 1, "address.city": 1, "notes": 1},
        ("status", "source", "rating", "owner_id", "tags"),
        subtitle=("title", "company"),
    ),
    "deal": _Plan(
        {"title": 5, "contact.name": 3, "account.name": 3, "contact_name": 3, "company": 3, "tags": 2,
         "description": 1, "stage": 1},
        ("stage", "status", "priority", "owner_id", "tags"),
        title=("title",),
        subtitle=("company", "contact_name"),
    ),
    "account": _Plan(
        {"name": 5, "domain": 3, "email": 2, "phone": 2, "website": 2, "industry": 2, "tags": 2,
         "billing_address.city": 1, "description": 1},
        ("type", "status", "industry", "owner_id", "tags"),
        subtitle=("industry", "domain"),
    ),
    "activity": _Plan(
        {"title": 5, "subject": 5, "contact_name": 3, "contact_company": 3, "tags": 2, "location": 2,
         "description": 1, "body": 1, "body_text": 1},
        ("kind", "status", "priority", "owner_id", "tags"),
        title=("title", "subject", "body"),
        subtitle=("kind", "contact_name"),
    ),
    "message": _Plan(
        {"subject": 5, "sender_name": 3, "contact.name": 3, "contact.company": 3, "lead.name": 3, "lead.company": 3,
         "content": 1},
        ("type", "status"),
        title=("subject", "content"),
        subtitle=("sender_name",),
    ),
    "user": _Plan({"name": 5, "email": 3}, ("role", "status"), subtitle=("email", "role")),
    "pipeline": _Plan({"name": 5, "description": 1}),
    "workflow": _Plan({"name": 5, "description": 1}, ("status",), subtitle=("status",)),
    "report": _Plan({"name": 5, "tags": 2, "folder": 2, "description": 1}, ("folder", "tags"), subtitle=("folder",)),
    "dashboard": _Plan({"name": 5, "tags": 2, "description": 1}, ("tags",)),
    "file": _Plan(
        {"name": 5, "tags": 2, "folder": 1, "description": 1},
        ("content_type", "folder", "owner_id", "tags"),
        subtitle=("folder",),
    ),
}  # fmt: skip
"""The kinds that every company has, in the order in which they are listed."""
_BESIDE: Mapping[str, tuple[str, type[Any]]] = {"message": ("conversations", Message), "user": ("users", User)}
"""The kinds that no noun has: the word of their permissions, and their model."""
_MESSAGES: Mapping[str, Sequence[Step]] = {
    "contact": (("conversation_id", "conversation"), ("contact_id", "contact")),
    "lead": (("conversation_id", "conversation"), ("lead_id", "lead")),
}
_STORED = frozenset({"id", "created_at", "updated_at", "created_by", "version", "owner_id", "tags", "name", "title"})
"""The members that are answered as they are stored."""
_DOORS = {"contacts": "contact", "deals": "deal", "messages": "message", "events": "activity"}


@dataclass(frozen=True, slots=True)
class Kind:
    """The records of a kind, for one call."""

    call: Context
    type: str
    collection: str
    word: str
    """The resource whose permission lets a caller find them."""
    plan: _Plan
    source: Source
    vias: Mapping[str, Sequence[Step]]
    """How the records one step away, or two, are reached, by the first word of a path."""
    within: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the records of the kind have that others of the collection have not."""
    sees: Callable[[Document], bool] | None = None
    """Return whether the caller may find a record; None where he may find all."""
    shows: Callable[[Document], Mapping[str, Any]] = lambda doc: doc
    """Return a record as lists answer it."""

    def path(self, name: str, at: str) -> str:
        """Return the path of a member. Raises: 422 UNKNOWN_FIELD; `at` is the member that names it."""
        return self.source.field(name, at)[0]

    def knows(self, name: str) -> bool:
        """Return whether the records have a member."""
        try:
            self.path(name, "q")
        except Problem:
            return False
        return True

    def via(self, path: str) -> tuple[Sequence[Step], str] | None:
        """Return the steps to the record that a path leads to, and the member of that; None for a member of its own."""
        head, _, rest = path.partition(".")
        return (self.vias[head], rest) if rest and head in self.vias else None

    def value(self, doc: Document, path: str) -> Any:
        """Return the value at a path of a record."""
        via = self.via(path)
        if via is None:
            head, _, rest = path.partition(".")
            own: Mapping[str, Any] = doc.get(head) or {} if head == "custom_fields" else {}
            return own.get(rest) if head == "custom_fields" else member(doc, path)
        found: Document | None = doc
        for link, kind in via[0]:
            found = self.call.collection(kind).get(str(member(found, link) or "")) if found is not None else None
        return member(found, via[1]) if found is not None else None

    def as_listed(self, doc: Document) -> Document:
        """Return a record as lists answer it, for its values."""
        found = self.shows(doc)
        return found if isinstance(found, Document) else Document(found)

    def reader(self, path: str) -> Callable[[Document], Any]:
        """Return a function that returns the value at a path of a record as lists answer it."""
        if "." in path:
            return lambda doc: self.value(self.as_listed(doc), path)
        if path in _STORED:
            return lambda doc: doc.get(path)
        return lambda doc: self.as_listed(doc).get(path)

    def texts(self, doc: Document, path: str) -> list[str]:
        """Return the texts at a path of a record; none where it is hidden from the caller."""
        if path in self.source.hidden:
            return []
        if self.via(path) is None:
            return texts_at(doc, path)
        return texts_at({"value": self.value(doc, path)}, "value")

    def ids(self) -> set[str]:
        """Return the ids of all records of the kind, whether the caller may find them or not."""
        table = self.call.collection(self.collection).table
        found = [table.index(name, exact=True).ids(value) for name, value in self.within.items()]
        return set(found[0]) if found else table.docs.keys() - table.dead

    def title(self, doc: Document) -> str:
        """Return what a record is called."""
        texts = (text for path in self.plan.title for text in self.texts(doc, path))
        return next((text[:200] for text in texts if text.strip()), "")

    def subtitle(self, doc: Document) -> str | None:
        """Return what tells a record from others of the name."""
        return ", ".join(text for path in self.plan.subtitle for text in self.texts(doc, path)[:1]) or None


def kinds_of(call: Context, types: Iterable[str]) -> list[Kind]:
    """Return the records of several types, those left out that are not searched."""
    return [kind for type in types if (kind := kind_of(call, type)) is not None]


def kind_of(call: Context, type: str) -> Kind | None:
    """Return the records of a type, or of a custom object by its API name; None where they are not searched."""
    nouns = call.server.nouns
    if type in _BESIDE:
        word, model = _BESIDE[type]
        found = Kind(call, type, type, word, PLANS[type], _source_of(call, type, model), {})
        if type == "message":

            def shown(doc: Document) -> Mapping[str, Any]:
                return shown_message(doc, call.now)

            found = replace(found, vias=_MESSAGES, shows=shown)
        return _scoped_kind(found)
    if type in PLANS and type in nouns:
        noun = nouns[type]
        source = source_of(call, type)
        vias = {head: (step,) for head, step in source.hops.items()}
        sees = noun.visible
        listed = noun.listed
        if type == "activity":
            return _scoped_kind(
                Kind(call, type, type, noun.word, PLANS[type], source, vias,
                     sees=lambda doc: not is_hidden(call, doc), shows=lambda doc: as_it_is(call, doc))
            )  # fmt: skip
        return _scoped_kind(
            Kind(call, type, noun.collection, noun.word, PLANS[type], source, vias,
                 sees=(lambda doc: sees(call, doc)) if sees is not None else None,
                 shows=(lambda doc: listed(call, doc)) if listed is not None else lambda doc: doc)
        )  # fmt: skip
    custom = next((one for one in objects(call) if one["api_name"] == type), None)
    if custom is None:
        return None
    fields = {f"fields.{custom['primary_field']}": 5.0, **dict.fromkeys(searched_in(call, custom), 1.0), "tags": 2.0}
    fields[f"fields.{custom['primary_field']}"] = 5.0
    plan = _Plan(fields, ("owner_id", "tags"), (f"fields.{custom['primary_field']}",))
    source = source_of(call, type)
    vias = {head: (step,) for head, step in source.hops.items()}
    return _scoped_kind(
        Kind(call, type, "record", "custom_objects", plan, source, vias, within={"object_id": custom["id"]})
    )


def _source_of(call: Context, type: str, model: type[Any]) -> Source:
    fields = dict(fields_of(model))  # type: ignore[arg-type] # mypy: a type is hashable
    for head in ("contact", "lead") if type == "message" else ():
        fields |= {f"{head}.{name}": fields_of(call.server.nouns[head].model)[name] for name in ("name", "company")}
    return seen_source(
        call, Source(type, fields, {}, lambda call: call.collection(type).all()), {head: head for head in _MESSAGES}
    )


def _scoped_kind(kind: Kind) -> Kind | None:
    """Return a kind with what the caller's permission leaves of it; None where that is nothing."""
    call, sees = kind.call, kind.sees
    if not is_on(call.server, call.caller, kind.word):
        return None
    scope = permissions.scope_for(call.caller, kind.word, "read")
    if scope is None or scope == "all":
        return kind if scope is not None else None
    return Kind(
        call, kind.type, kind.collection, kind.word, kind.plan, kind.source, kind.vias, kind.within,
        lambda doc: permissions.permits(call.caller, kind.word, "read", doc) and (sees is None or sees(doc)),
        kind.shows,
    )  # fmt: skip


def objects(call: Context) -> list[Document]:
    """Return the custom objects whose records are searched."""
    return [one for one in call.collection("custom_object").all() if one["active"]]


def types_of(call: Context) -> list[str]:
    """Return the types that are searched: those of every company, and those of its custom objects."""
    return [*PLANS, *(one["api_name"] for one in objects(call))]


def check_types(call: Context, types: Iterable[str], at: str = "types") -> list[str]:
    """Return types, each once. Raises: 422 for what is no type of records; others than are searched have no hits."""
    found = list(dict.fromkeys(_DOORS.get(type, type) for type in types))
    custom = {one["api_name"] for one in objects(call)}
    for number, type in enumerate(types):
        name = _DOORS.get(type, type)
        if name not in _ANY_TYPE and name not in custom:
            raise invalid(f"{at}.{number}", "choice", f"there are no records of the type {type!r}")
    return found


def searched_kind(call: Context, type: str, at: str) -> Kind:
    """Return the records of one type. Raises: 422 for a type that is not searched, or that the caller may not read."""
    kind = kind_of(call, type)
    if kind is None:
        allowed = types_of(call)
        raise invalid(at, "choice", f"there is no search of {type!r}; use {', '.join(allowed)}", allowed=allowed)
    return kind
