"""The rules of contacts: create, get, update, delete, list, search, bulk calls and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_sdk.models.contacts import Contact
from crm_sdk.resources.contacts import Contacts
from crm_sdk.wire import snake

from ...bulk import carry_out, check_size
from ...data.document import Document
from ...data.queries.field_types import custom_types
from ...data.queries.filter_groups import FieldType, search
from ...data.queries.query import member as at_path
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access import permissions
from ...serving import Context, Members, serves
from .. import company
from . import health as health
from .insights import insights_of, talks_seen
from .writing import EMAILS, PHONES, check, follow

_NESTED_LISTS = ("communication_history", "ai_insights")


def _with_nested_lists(call: Context, doc: Document) -> Document:
    """Return a contact with its history and insights."""
    doc, talks = health.with_sums_seen(call, doc), talks_seen(call, doc["id"])
    return doc | {"communication_history": talks, "ai_insights": insights_of(call, doc, talks)}


def _named_filter(call: Context, name: str) -> Callable[[Document], bool]:
    test = health.named_filter(name, call.now)
    return lambda contact: test(health.with_sums_seen(call, contact))


CONTACTS = Noun(
    resource=Contacts,
    kind="contact",
    limit="contacts",
    model=Contact,
    searched=("name", "email", "phone", "company", "title"),
    searched_by={
        "mvp": ("name", "email", "company"),  # what its document names
        # "contacts at risk in Berlin" is a question of its document
        "flow": ("name", "email", "phone", "company", "title", "address.city"),
    },
    sorts=("name", "company", "health_score", "churn_risk", "last_contact", "total_value"),
    refers={"owner_id": "user", "account_id": "account"},
    unique={"email": "CONTACT_EXISTS"},
    places={"email": EMAILS, "phone": PHONES},
    defaults={"owner_id": lambda call: call.caller.user_id},
    filters={"filter": _named_filter},
    sorted_by={"total_value": permissions.key_seen("total_value", health.with_sums_seen, "deal")},
    check=check,
    follow=follow,
    shown=_with_nested_lists,
    listed=health.with_sums_seen,
)

_BEST_LAST = ("health_score", "total_value", "last_contact")


@serves(Contacts.list)
def list_(call: Context, **given: Any) -> Sequence[Document]:
    """Return the contacts that match; the best come first where the caller cannot choose the direction."""
    if call.dialect == "flow" and snake(given["sort"] or "") in _BEST_LAST:
        given["order"] = "desc"
    return CONTACTS.including(call, CONTACTS.select(call, given), given["include"])


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
"""The fields of contacts for search conditions, with their types."""


@serves(Contacts.search)
def find(call: Context, query: Members) -> Sequence[Document]:
    """Return the contacts that match words and conditions."""
    include = [snake(name) for name in query.get("include") or ()]
    for number, name in enumerate(include):
        if name not in _NESTED_LISTS:
            words = ", ".join(_NESTED_LISTS)
            raise invalid(f"include.{number}", "choice", f"there is no {name!r} to include; use {words}")

    def resolve(doc: Document, path: str) -> object:
        head, _, rest = path.partition(".")
        if head == "custom_fields":  # the name of a custom field may have a dot
            own: Members = doc.get(head) or {}
            return own.get(rest)
        if head != "account" or not rest:
            return at_path(doc, path)
        account = call.collection("account").get(doc["account_id"]) if doc.get("account_id") else None
        return at_path(account, rest) if account is not None else None

    docs = search(
        _all_seen(call), query, {**FIELDS, **custom_types(call.collection("field"), "contact")},
        text=CONTACTS.searched, now=call.now, zone=company.zone(call), resolve=resolve,
    )  # fmt: skip
    return CONTACTS.including(call, docs, include)


def _all_seen(call: Context) -> list[Document]:
    """Return the contacts that the caller may read, with the figures of what he may read."""
    return [health.with_sums_seen(call, contact) for contact in permissions.readable(call, "contact")]


@serves(Contacts.stats)
def stats(call: Context) -> dict[str, int]:
    """Count the contacts of each named filter."""
    docs = _all_seen(call)
    return {
        "total": len(docs),
        "high_value": sum(map(health.is_high_value, docs)),
        "at_risk": sum(map(health.is_at_risk, docs)),
        "needs_follow_up": sum(health.needs_follow_up(doc, call.now) for doc in docs),
    }


# -- in bulk -----------------------------------------------------------------------------------------------------------


@serves(Contacts.bulk_upsert)
def bulk_upsert(call: Context, contacts: Sequence[Members], match_on: str | None, atomic: bool) -> dict[str, Any]:
    """Create and update contacts, each in its own transaction, or all in one (`atomic`)."""
    check_size(contacts, "contacts")
    seen: set[tuple[str, Any]] = set()

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
            return change(call, item["id"], members)
        key = key_of(call, item, match_on) if match_on else None
        existing = CONTACTS.matching(call, match_on, key) if match_on and key is not None else None
        return create_new(call, members) if existing is None else change(call, existing["id"], members)

    result = carry_out(
        call, contacts, write, field="contacts",
        id_of=lambda item: item.get("id"), key_of=lambda item: _key(item, match_on), atomic=atomic,
    )  # fmt: skip
    items = [item | {"id": item["result"]["id"]} if item["result"] is not None else item for item in result["items"]]
    return result | {"items": items}


def _key(item: Members, match_on: str | None) -> str | None:
    """Return the key by which an item identifies its contact."""
    return next((item[name] for name in ("id", match_on, "external_id") if name and item.get(name)), None)


def key_of(call: Context, members: Members, name: str) -> Any:
    """Return the stored form of the value of a key; None where there is none. Raises: 422 for an invalid value."""
    return CONTACTS.stored_value(call, name, members.get(name)) or None


def create_new(call: Context, members: Members) -> Document:
    """Create a contact from given members, if the caller has the permission."""
    permissions.check(call.caller, CONTACTS.word, "create")
    return CONTACTS.add(call, CONTACTS.stored_form(call, members))


def change(call: Context, id: str, members: Members) -> Document:
    """Change a contact by given members, if the caller has the permission."""
    doc = CONTACTS.writable(call, id)
    return CONTACTS.change(call, doc, CONTACTS.stored_form(call, members, doc))


@serves(Contacts.bulk_delete)
def bulk_delete(call: Context, ids: Sequence[str], atomic: bool) -> dict[str, Any]:
    """Delete contacts, each in its own transaction, or all in one (`atomic`)."""
    check_size(ids, "ids")

    def delete(id: str) -> None:
        CONTACTS.remove(call, CONTACTS.writable(call, id, "delete"))

    return carry_out(call, ids, delete, field="ids", id_of=str, atomic=atomic)
