"""Who is meant: the contacts and leads that are a person, and the records that refer to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sdk.models.contacts import Contact
from crm_sdk.models.conversations import Conversation
from crm_sdk.models.leads import Lead
from crm_sdk.models.messages import Message
from crm_sdk.wire import is_array, is_object

from ...data.collection import Collection
from ...data.document import Document
from ...data.personal import personal_members
from ...history import audit
from ...problems import Problem, invalid
from ...serving import Context, Members
from .. import erasures
from .words import Words, words_of

PEOPLE = ("contact", "lead")
_MODELS: Mapping[str, Any] = {"contact": Contact, "lead": Lead, "conversation": Conversation, "message": Message}
ERASED_KINDS = frozenset({"relationship", "subscription", "share", "comment", "file"})
"""The kinds of records that are about the person alone: they go with it."""
_SHOWN = frozenset({
    "activity", "message", "conversation", "deal", "relationship", "comment", "notification", "subscription", "file",
    "share", "mention", "engagement", "record", "audit", "task",
})  # fmt: skip
"""The kinds of records that an export has beside the contacts and leads."""


def model_of(call: Context, kind: str, doc: Members) -> Any:
    """Return the model of a record; None where it has none."""
    noun = call.server.nouns.get(str(doc.get("kind")) if kind == "activity" else kind)
    return noun.model if noun is not None and noun.collection == kind else _MODELS.get(kind)


@dataclass(frozen=True, slots=True)
class Person:
    """A person: its contacts and leads, and the words by which it is known."""

    identities: Sequence[tuple[str, Document]]
    words: Words
    conversations: frozenset[str]

    @property
    def addresses(self) -> list[str]:
        """All e-mail addresses of the person that nobody else has."""
        return sorted(self.words.addresses)

    def is_about(self, kind: str, doc: Members) -> bool:
        """Return whether a record is about the person: by one of its references, its sender or its recipient."""
        words = self.words
        about = doc.get("entity") or doc.get("related_to")
        if (is_object(about) and about.get("id") in words.ids) or doc.get("conversation_id") in self.conversations:
            return True
        if kind in ("deal", "record", "account"):
            return False
        if any(isinstance(value, str) and value in words.ids for name, value in doc.items() if name.endswith("_id")):
            return True
        texts = (doc.get("recipient"), doc.get("address"), _address(doc.get("from_address")), _only(doc.get("to")))
        return any(isinstance(text, str) and text.lower() in words.addresses for text in texts)


def _address(value: Any) -> Any:
    return value.get("email") if is_object(value) else None


def _only(value: Any) -> Any:
    return _address(value[0]) if is_array(value) and len(value) == 1 else None


def check(call: Context, subject: Members) -> tuple[str, str]:
    """Return the confirmation and the address or id of a subject. Raises: 422; 422 NOT_A_SUBJECT."""
    address = subject.get("email")
    entity: Members | None = subject.get("entity")
    if (address is None) == (entity is None):
        raise invalid("subject", "required", "give either email or entity")
    if address is not None:
        if any(address.lower() == str(user["email"]).lower() for user in _all(call, "user")):
            raise _no_subject(f"{address} is the address of a user", "subject.email")
        return address, address
    entity = entity or Document()
    if entity["type"] not in PEOPLE:
        raise _no_subject(f"a record of the type {entity['type']} is no person", "subject.entity.type")
    found = call.find_one(entity["type"], entity["id"]) or call.collection(entity["type"]).get(
        entity["id"], deleted=True
    )
    if found is None:
        if erasures.entry_of(call, entity["id"]) is not None:
            return entity["id"], entity["id"]
        message = f"no {entity['type']} has the id {entity['id']!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="subject.entity.id", rule="reference")
    addresses = erasures.addresses_of(found)
    return (addresses[0], addresses[0]) if addresses else (found["id"], found["id"])


def _no_subject(why: str, field: str) -> Problem:
    return Problem("NOT_A_SUBJECT", f"{why}: only contacts and leads are subjects", field=field, rule="choice")


def _all(call: Context, kind: str) -> list[Document]:
    """Return the records of a kind, deleted ones as well, in their order."""
    return list(reversed(list(call.collection(kind).backwards())))


def find(call: Context, subject: Members) -> Person:
    """Return the person that a subject is."""
    address = subject.get("email")
    entity: Members | None = subject.get("entity")
    if address is not None:
        wanted = address.lower()
        return person_of(call, [
            (kind, doc)
            for kind in PEOPLE
            for doc in _all(call, kind)
            if any(wanted == one.lower() for one in erasures.addresses_of(doc))
        ], address)  # fmt: skip
    entity = entity or Document()
    survivor = call.find_one(entity["type"], entity["id"])
    id = survivor["id"] if survivor is not None else entity["id"]
    return person_of(call, [
        (entity["type"], doc) for doc in _all(call, entity["type"]) if _end(call, entity["type"], doc) == id
    ], None)  # fmt: skip


def _end(call: Context, kind: str, doc: Document) -> str:
    """Return the id of the record that a record was merged into, or its own."""
    found = call.find_one(kind, doc["id"]) if doc.get("merged_into") else None
    return str((found or doc)["id"])


def person_of(call: Context, identities: Sequence[tuple[str, Document]], address: str | None) -> Person:
    """Return a person with certain contacts and leads."""
    ids = {doc["id"] for _, doc in identities}
    fields = [one["api_name"] for one in call.collection("field") if one.get("personal")]
    words = words_of(((_MODELS[kind], doc) for kind, doc in identities), _others(call, ids), fields, address)
    talks = [
        doc["id"] for doc in _all(call, "conversation") if doc.get("contact_id") in ids or doc.get("lead_id") in ids
    ]
    return Person(identities, words, frozenset(talks))


def _others(call: Context, ids: set[str]) -> Iterator[Members]:
    """Yield what is said of other people, and the names of companies: what they share with the person stays."""
    for kind in PEOPLE:
        names = personal_members(_MODELS[kind])
        for doc in call.collection(kind).all():
            if doc["id"] not in ids:
                yield {name: doc.get(name) for name in names}
    for user in call.collection("user").all():
        yield {name: user.get(name) for name in ("name", "email", "phone")}
    for account in call.collection("account").all():
        yield {name: account.get(name) for name in ("name", "domain", "website", "phone")}


def about(call: Context, person: Person) -> Iterator[tuple[Collection, Document]]:
    """Yield the records that are about the person, or refer to it, by kind; deleted ones as well."""
    for records in call.server.store.of_company(call.caller.tenant_id):
        if records.kind not in _SHOWN:
            continue
        for doc in reversed(list(records.backwards())):
            if records.kind == audit.KIND:
                if doc["entity"]["id"] in person.words.ids:
                    yield records, doc
            elif person.is_about(records.kind, doc) or _names(doc, person.words):
                yield records, doc


def _names(value: Any, words: Words) -> bool:
    """Return whether a record refers to the person anywhere, by id or by address."""
    if is_object(value):
        return words.refers(value) or any(_names(one, words) for one in value.values())
    return is_array(value) and any(one in words.ids if isinstance(one, str) else _names(one, words) for one in value)


def entity_name(kind: str, doc: Members) -> str:
    """Return the name of a record's entity."""
    return str(doc["object"]) if kind == "record" else kind
