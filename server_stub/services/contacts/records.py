"""The rules of contacts: create, read, change, delete, list, search, in bulk, and the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_sdk.models.contacts import Contact
from crm_sdk.resources.contacts import Contacts
from crm_sdk.wire import snake

from ...bulk import carry_out, check_size
from ...data.document import Document
from ...data.normalise import email, phone
from ...data.query import (
    FieldType,
    filter_by_dates,
    filter_by_tags,
    filter_by_text,
    filter_by_values,
    search,
    sort_documents,
)
from ...data.query import member as at_path
from ...problems import Problem
from ...serving import Context, Members, serves
from . import health as health
from .insights import insights_of
from .writing import apply, build_new, found, remove, writable

__all__ = ["build_new"]
"""`build_new` is what other services make contacts with."""

SORTS = ("name", "company", "created_at", "updated_at", "health_score", "churn_risk", "last_contact", "total_value")
SEARCHED = ("name", "email", "phone", "company", "title")
_SEARCHED_BY: Mapping[str, Sequence[str]] = {
    "mvp": ("name", "email", "company"),  # what its document names
    "flow": (*SEARCHED, "address.city"),  # "contacts at risk in Berlin" is a question of its document
    "platform": SEARCHED,
}

_DATES = ("created_at", "updated_at", "birthday", "last_contact", "next_follow_up")
_NUMBERS = ("version", "health_score", "churn_risk", "total_deals", "total_value", "open_deals")
_FLAGS = ("do_not_contact", "email_opt_out", "sms_opt_out")
_LISTS = ("secondary_emails", "tags", "notes", "merged_ids")
_PLACE = ("street", "street2", "city", "state", "postal_code", "country")
_NESTED = ("communication_history", "ai_insights", "address", "social_profiles", "custom_fields")

FIELDS: Mapping[str, FieldType] = {
    **dict.fromkeys((name for name in Contact.model_fields if name not in _NESTED), "text"),
    **dict.fromkeys(_DATES, "date"),
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(_FLAGS, "bool"),
    **dict.fromkeys(_LISTS, "list"),
    **{f"address.{name}": "text" for name in _PLACE},
    **dict.fromkeys(("social_profiles.network", "social_profiles.handle", "social_profiles.url"), "list"),
    **{f"account.{name}": "text" for name in ("name", "domain", "industry", "type", "status", "rating", "owner_id")},
    **{f"account.{name}": "number" for name in ("employees", "annual_revenue", "health_score")},
    "custom_fields.*": "any",
}
"""What contacts can be searched by."""


@serves(Contacts.create)
def create(call: Context, contact: Members) -> Document:
    """Create a contact."""
    return with_nested_lists(call, build_new(call, contact))


@serves(Contacts.get)
def get(call: Context, contact_id: str, include: Sequence[str] | None) -> Document:
    """Return a contact with its history and insights, whatever `include` names: this is the full record."""
    return with_nested_lists(call, found(call, contact_id))


def with_nested_lists(
    call: Context, doc: Document, include: Sequence[str] = ("communication_history", "ai_insights")
) -> Document:
    """Return a contact with the nested lists that are named."""
    talks = health.communications_of(call, doc["id"])
    lists = {"communication_history": talks, "ai_insights": insights_of(call, doc, talks)}
    return doc | {name: lists[name] for name in include}


@serves(Contacts.update)
def update(call: Context, contact_id: str, changes: Members, version: int | None) -> Document:
    """Change a contact."""
    doc = writable(call, contact_id)
    call.lock(doc, version)
    return with_nested_lists(call, apply(call, doc, changes))


@serves(Contacts.delete)
def delete(call: Context, contact_id: str, version: int | None) -> None:
    """Delete a contact."""
    doc = writable(call, contact_id)
    call.lock(doc, version)
    remove(call, doc)


@serves(Contacts.list)
def list_(
    call: Context,
    search: str | None,
    filter: str | None,
    status: str | None,
    tags: Sequence[str] | None,
    owner_id: str | None,
    account_id: str | None,
    lifecycle_stage: str | None,
    source: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    updated_after: datetime | None,
    updated_before: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the contacts that were asked for."""
    docs = filter_by_values(
        filtered_contacts(call, search=search, filter=filter, status=status, tags=tags, owner_id=owner_id),
        account_id=account_id,
        lifecycle_stage=lifecycle_stage,
        source=source,
    )
    times = {"created_after": created_after, "created_before": created_before}
    docs = filter_by_dates(docs, **times, updated_after=updated_after, updated_before=updated_before)
    return sort_documents(docs, sort, order, SORTS)


def filtered_contacts(
    call: Context,
    *,
    search: str | None,
    filter: str | None,
    status: str | None,
    tags: Sequence[str] | None,
    owner_id: str | None,
) -> Sequence[Document]:
    """Return the contacts that pass the filters which the list and the export share."""
    docs = filter_by_values(call.collection("contact").all(), status=status, owner_id=owner_id)
    docs = health.filter_by_name(filter_by_tags(docs, tags), filter, call.now)
    return filter_by_text(docs, search, _SEARCHED_BY[call.dialect])


@serves(Contacts.search)
def find(call: Context, query: Members) -> Sequence[Document]:
    """Return the contacts that match words and conditions."""
    fields = [_member_of_field(name, number) for number, name in enumerate(query.get("fields") or ())]

    def resolve(doc: Document, path: str) -> object:
        head, _, rest = path.partition(".")
        if head != "account" or not rest:
            return at_path(doc, path)
        account = call.collection("account").get(doc["account_id"]) if doc.get("account_id") else None
        return at_path(account, rest) if account is not None else None

    docs: Sequence[Document] = search(
        call.collection("contact").all(), query, FIELDS, text=SEARCHED, now=call.now, zone=_zone(call), resolve=resolve
    )
    include = [
        name for name in map(snake, query.get("include") or ()) if name in ("communication_history", "ai_insights")
    ]
    if include:
        docs = [with_nested_lists(call, doc, include) for doc in docs]
    if fields:
        kept = {"id", "name", *fields, *include}
        docs = [Document({name: value for name, value in doc.items() if name in kept}) for doc in docs]
    return docs


def _member_of_field(field: str, number: int) -> str:
    """Return the member that holds a field. Raises 422 where there is none."""
    name = snake(field.partition(".")[0])
    if name not in Contact.model_fields:
        details = {"field": field}
        raise Problem(
            "UNKNOWN_FIELD", f"a contact has no {field!r}", field=f"fields.{number}", rule="choice", details=details
        )
    return name


def _zone(call: Context) -> tzinfo:
    try:
        return ZoneInfo(call.tenant.get("timezone") or "UTC")
    except ZoneInfoNotFoundError:  # a machine without time zones
        return ZoneInfo("UTC")


@serves(Contacts.stats)
def stats(call: Context) -> dict[str, int]:
    """Count the contacts as the filters see them."""
    docs = call.collection("contact").all()
    return {
        "total": len(docs),
        "high_value": len(health.filter_by_name(docs, "high-value", call.now)),
        "at_risk": len(health.filter_by_name(docs, "at-risk", call.now)),
        "needs_follow_up": sum(health.needs_follow_up(doc, call.now) for doc in docs),
    }


# -- in bulk -----------------------------------------------------------------------------------------------------------


@serves(Contacts.bulk_upsert)
def bulk_upsert(call: Context, contacts: Sequence[Members], match_on: str | None, atomic: bool) -> dict[str, Any]:
    """Create and update contacts, each for itself or all of them or none."""
    check_size(contacts, "contacts")
    seen: set[tuple[str, str]] = set()

    def write(item: Members) -> Document:
        keys = {(name, key) for name in {"id", "email", match_on} if name and (key := key_of(call, item, name))}
        twice = sorted(keys & seen)
        seen.update(keys)
        if twice:
            name, value = twice[0]
            raise Problem(
                "DUPLICATE_IN_BATCH", f"an item before has the {name} {value!r} too", field=name, rule="unique"
            )
        members = {name: value for name, value in item.items() if name != "id"}
        if item.get("id"):
            return apply(call, writable(call, item["id"]), members)
        existing = contact_matching(call, item, match_on) if match_on else None
        return apply(call, existing, members) if existing is not None else build_new(call, members)

    result = carry_out(call, contacts, write, field="contacts", id_of=lambda item: item.get("id"), atomic=atomic)
    items = [item | {"id": item["result"]["id"]} if item["result"] is not None else item for item in result["items"]]
    return result | {"items": items}


def key_of(call: Context, members: Members, name: str) -> str | None:
    """Return what a contact is matched by, in normal form; None where it is not told."""
    value = members.get(name)
    if not value:
        return None
    if name == "email":
        return email(value)
    return phone(value, call.tenant.get("country")) if name == "phone" else str(value)


def contact_matching(call: Context, members: Members, match_on: str) -> Document | None:
    """Return the stored contact that has the same e-mail address, phone number, external id or id; the oldest."""
    key = key_of(call, members, match_on)
    if key is None:
        return None
    contacts = call.collection("contact")
    if match_on == "id":
        return contacts.get(key)
    same = contacts.find(match_on, key)
    if not same and match_on in ("email", "phone"):
        same = contacts.find({"email": "secondary_emails", "phone": "mobile"}[match_on], key)
    return same[0] if same else None


@serves(Contacts.bulk_delete)
def bulk_delete(call: Context, ids: Sequence[str], atomic: bool) -> dict[str, Any]:
    """Delete contacts, each for itself or all of them or none."""
    check_size(ids, "ids")
    return carry_out(
        call, ids, lambda one: remove(call, writable(call, one)), field="ids", id_of=lambda one: one, atomic=atomic
    )
